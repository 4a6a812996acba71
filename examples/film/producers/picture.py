"""picture: paints a segment from its text and from what the user asks for."""

import io

from kinora import Producer
from studio import scene

producer = Producer("picture", version="1", description="Paints a scene from words.")


@producer.job
def picture(job):
    wanted = scene.read_scene(job.text("text"), job.text("prompt"))
    job.progress(0.1, f"{wanted.setting}, {wanted.light}, {', '.join(wanted.things) or 'empty'}")
    png = io.BytesIO()
    scene.paint(wanted).save(png, "PNG", compress_level=3)
    job.write("Picture", png.getvalue())


if __name__ == "__main__":
    producer.serve()
