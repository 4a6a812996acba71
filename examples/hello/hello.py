"""Two producers in one process."""

from kinora import Producer, serve

line = Producer("line", version="1")
poem = Producer("poem", version="1")


@line.job
def write_line(job):
    words = job.text("words")
    job.write("Line", words.upper() + "!" if job.text("mood") == "loud" else words)


@poem.job
def join_lines(job):
    job.write("Poem", "\n".join(part.text() for part in job.list("lines")) + "\n")


serve(line, poem)
