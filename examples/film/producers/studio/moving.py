"""Moving pictures: a clip from one picture, and the film from its clips.

All clips share one encoding (H.264 without B-frames, one slice a picture) and
have key pictures one second from either end. So the film copies their middles
as they are and encodes only the seconds in which one dissolves into the next.
"""

import os
import subprocess
import tempfile

from PIL import Image, ImageEnhance, ImageFilter

from .canvas import HEIGHT, WIDTH, seed_of
from .lettering import opening_words, roman, title_card
from .words import two_lines

FPS = 24
DISSOLVE = FPS  # pictures that overlap between two clips
_CODEC = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-bf", "0",
          "-threads", "1", "-x264-params", "keyint=250:min-keyint=1:scenecut=0:slices=1", "-flags", "+bitexact", "-fflags", "+bitexact"]
# Where a clip's frame begins and ends: left, top and size as shares of the picture.
_MOVES = (
    ((0.00, 0.00, 1.00), (0.055, 0.075, 0.87)),
    ((0.11, 0.10, 0.88), (0.02, 0.03, 0.92)),
    ((0.00, 0.06, 0.90), (0.10, 0.04, 0.90)),
    ((0.065, 0.055, 0.87), (0.00, 0.00, 1.00)),
    ((0.02, 0.12, 0.88), (0.08, 0.01, 0.90)),
)


def frames_of(seconds: float) -> int:
    """Pictures a narration of that length covers."""
    return max(2 * DISSOLVE, round(seconds * FPS))


def run_ffmpeg(arguments: list[str], frames: int = 0, progress=None):
    """Runs ffmpeg; reports each tenth of `frames`; ends it if `progress` raises."""
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-y", "-progress", "pipe:1", *arguments]
    tenth = 0
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            for line in process.stdout:
                if progress and frames and line.startswith("frame="):
                    share = min(1.0, int(line[6:]) / frames)
                    if int(share * 10) > tenth:
                        tenth = int(share * 10)
                        progress(share, f"picture {int(line[6:])} of {frames}")
        except BaseException:
            process.kill()
            raise
        finally:
            process.stdout.close()
            code = process.wait()
        if code:
            errors.seek(0)
            raise RuntimeError(f"ffmpeg ended with {code}: {errors.read()[-800:]}")


def make_clip(picture: str, cues: dict, number: int, out: str, progress=None):
    """Moves slowly over a picture while its narration lasts, and letters it:
    the chapter's number and first words at the start, then the subtitles.

    The clip is `DISSOLVE` pictures longer than the narration: the last ones
    overlap with the next clip.
    """
    total = frames_of(cues["duration"]) + DISSOLVE
    move = _MOVES[seed_of("move", cues["cues"][0]["text"] if cues["cues"] else "") % len(_MOVES)]
    (x0, y0, s0), (x1, y1, s1) = move
    at = f"(on/{total - 1})"
    left, top, size = (f"({a}+{b - a:.6f}*{at})" for a, b in ((x0, x1), (y0, y1), (s0, s1)))
    right, bottom = f"({left}+{size})", f"({top}+{size})"
    corners = ":".join((f"x0=W*{left}:y0=H*{top}", f"x1=W*{right}:y1=H*{top}", f"x2=W*{left}:y2=H*{bottom}", f"x3=W*{right}:y3=H*{bottom}"))
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "cues.ass")
        with open(script, "w", encoding="utf-8") as file:
            file.write(_subtitle_script(cues["cues"], number))
        pan = f"perspective={corners}:interpolation=linear:eval=frame"
        run_ffmpeg(["-i", picture, "-vf", f"format=yuv420p,loop=loop={total}:size=1,setpts=N/{FPS}/TB,{pan},ass={script}",
                    "-r", str(FPS), "-frames:v", str(total), "-filter_threads", "1",
                    "-force_key_frames", f"expr:eq(n,{DISSOLVE})+eq(n,{total - DISSOLVE})",
                    *_CODEC, "-map_metadata", "-1", "-movflags", "+faststart", out], total, progress)


def _subtitle_script(cues, number: int) -> str:
    lines = [
        "[Script Info]\nScriptType: v4.00+", f"PlayResX: {WIDTH}\nPlayResY: {HEIGHT}\nWrapStyle: 2\nScaledBorderAndShadow: yes\n",
        "[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, Italic, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV",
        "Style: Line,DejaVu Serif,33,&H00EEFAFF,&H70140C08,&HA0000000,0,0,1,1.8,1.2,2,90,90,44",
        "Style: Plate,DejaVu Serif,34,&H08EEFAFF,&H90140C08,&HA0000000,0,0,1,1.0,1.4,7,0,0,0\n",
        "[Events]\nFormat: Layer, Start, End, Style, Text",
    ]
    if cues:
        numeral, words = roman(number), opening_words(cues[0]["text"], 34)
        rule = 34 + 24 * len(numeral)
        for at, look in ((52, f"\\fsp5}}{numeral}"), (100, f"\\bord0\\shad0\\alpha&H50&\\p1}}m 0 0 l {rule} 0 {rule} 1.4 0 1.4"), (110, f"\\fs24\\i1}}{words}")):
            lines.append(f"Dialogue: 0,0:00:01.00,0:00:07.50,Plate,{{\\pos(72,{at})\\fad(900,900){look}")
    for cue in cues:
        text = two_lines(cue["text"]).replace("{", "(").replace("}", ")").replace("\n", "\\N")
        lines.append(f"Dialogue: 0,{_clock(cue['start'], '.', 2)},{_clock(cue['end'] + 0.18, '.', 2)},Line,{{\\fad(160,160)}}{text}")
    return "\n".join(lines) + "\n"


def _clock(seconds: float, point: str, digits: int) -> str:
    ticks = round(seconds * 10**digits)
    whole, rest = divmod(ticks, 10**digits)
    return f"{whole // 3600:0{digits - 1}d}:{whole // 60 % 60:02d}:{whole % 60:02d}{point}{rest:0{digits}d}"


def srt(cues) -> str:
    """Cues (start and end in film time) as a SubRip file."""
    parts = [f"{i + 1}\n{_clock(c['start'], ',', 3)} --> {_clock(c['end'], ',', 3)}\n{two_lines(c['text'])}\n" for i, c in enumerate(cues)]
    return "\n".join(parts)


def _pictures(clip: str, folder: str) -> list[bytes]:
    """The clip's coded pictures, in order, each with the headers before it."""
    raw = os.path.join(folder, "raw.h264")
    run_ffmpeg(["-i", clip, "-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", raw])
    with open(raw, "rb") as file:
        return _split(file.read())


def _split(data: bytes) -> list[bytes]:
    pictures, start, at = [], 0, data.find(b"\x00\x00\x01")
    while at >= 0:
        following = data.find(b"\x00\x00\x01", at + 3)
        if data[at + 3] & 31 in (1, 5):  # a coded picture: it ends here
            end = len(data) if following < 0 else following - (data[following - 1] == 0)
            pictures.append(data[start:end])
            start = end
        at = following
    return pictures


def _encode(folder: str, inputs: list[str], graph: str, frames: int) -> bytes:
    out = os.path.join(folder, "part.h264")
    run_ffmpeg([*inputs, "-filter_complex", graph, "-map", "[v]", "-r", str(FPS), "-frames:v", str(frames), *_CODEC, "-f", "h264", out])
    with open(out, "rb") as file:
        return file.read()


def _raw_input(folder: str, name: str, pictures: list[bytes]) -> list[str]:
    path = os.path.join(folder, name + ".h264")
    with open(path, "wb") as file:
        file.write(b"".join(pictures))
    return ["-f", "h264", "-framerate", str(FPS), "-i", path]


def _opening(folder: str, title: str, head: list[bytes], frames: int) -> bytes:
    """The title over the first picture, softened, dissolving into the film."""
    still = os.path.join(folder, "still.png")
    run_ffmpeg([*_raw_input(folder, "first", head[:1]), "-frames:v", "1", "-update", "1", still])
    ground = ImageEnhance.Brightness(Image.open(still).convert("RGB").filter(ImageFilter.GaussianBlur(14))).enhance(0.66)
    card = os.path.join(folder, "card.png")
    Image.alpha_composite(ground.convert("RGBA"), title_card(title)).convert("RGB").save(card, compress_level=1)
    total = frames + len(head)
    graph = (f"[0:v]loop=loop={total}:size=1,setpts=N/{FPS}/TB,fps={FPS},format=yuv420p,fade=in:0:{FPS}[a];"
             f"[1:v]fps={FPS},format=yuv420p,settb=1/{FPS}[b];[a]settb=1/{FPS}[a1];"
             f"[a1][b]xfade=transition=fade:duration={len(head) / FPS}:offset={frames / FPS}[v]")
    return _encode(folder, ["-i", card, *_raw_input(folder, "head", head)], graph, total)


def _dissolve(folder: str, tail: list[bytes], head: list[bytes]) -> bytes:
    graph = f"[0:v]settb=1/{FPS}[a];[1:v]settb=1/{FPS}[b];[a][b]xfade=transition=fade:duration={len(head) / FPS}:offset=0[v]"
    return _encode(folder, [*_raw_input(folder, "tail", tail), *_raw_input(folder, "head", head)], graph, len(head))


def _ending(folder: str, tail: list[bytes]) -> bytes:
    hold = FPS  # a second of black for the music to end in
    graph = f"[0:v]fade=out:0:{len(tail)},tpad=stop={hold}:stop_mode=add:color=black[v]"
    return _encode(folder, _raw_input(folder, "tail", tail), graph, len(tail) + hold)


def make_film(clips: list[str], lead_seconds: float, title: str, sound: str, subtitles: str, out: str, progress=None):
    """Joins clips with dissolves, adds title, sound (WAV) and subtitles (SRT)."""
    report = progress or (lambda share, message: None)
    with tempfile.TemporaryDirectory() as folder:
        video = os.path.join(folder, "film.h264")
        with open(video, "wb") as file:
            before: list[bytes] = []
            for i, clip in enumerate(clips):
                report(0.9 * i / len(clips), f"joining clip {i + 1} of {len(clips)}")
                pictures = _pictures(clip, folder)
                head = pictures[:DISSOLVE]
                lead = round(lead_seconds * FPS)
                file.write(_dissolve(folder, before, head) if i else _opening(folder, title, head, lead))
                file.write(b"".join(pictures[DISSOLVE:-DISSOLVE]))
                before = pictures[-DISSOLVE:]
            file.write(_ending(folder, before))
        report(0.92, "adding sound and subtitles")
        run_ffmpeg(["-f", "h264", "-framerate", str(FPS), "-i", video, "-i", sound, "-i", subtitles,
                    "-map", "0:v", "-map", "1:a", "-map", "2:s", "-c:v", "copy", "-c:a", "aac", "-b:a", "160k", "-ar", "44100",
                    "-c:s", "mov_text", "-metadata:s:s:0", "language=eng", "-disposition:s:0", "0", "-map_metadata", "-1",
                    "-flags:a", "+bitexact", "-fflags", "+bitexact", "-threads", "1", "-movflags", "+faststart", out])
