#!/usr/bin/env python3
"""Speaks stories.toml with espeak-ng, to 8 kHz mono mu-law WAV, one small file a line.

Needs Debian's `espeak-ng` and `sox`. Files that are no longer named are removed. The same text
with the same espeak-ng gives the same file; run it after editing stories.toml and commit both.
"""
import pathlib
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
# Peaks well below full scale, so that three voices at once do not clip.
NORMAL_DB, LOUD_DB = -9, -2


def speak(voice, text, loud, out):
    pitch = min(99, voice["pitch"] + (22 if loud else 0))
    wpm = voice["wpm"] + (25 if loud else 0)
    with tempfile.NamedTemporaryFile(suffix=".wav") as raw:
        subprocess.run(
            ["espeak-ng", "-v", voice["voice"], "-p", str(pitch), "-s", str(wpm),
             "-w", raw.name, text], check=True)
        # Silence at both ends goes, so that the pauses of the stories are the pauses one hears.
        subprocess.run(
            ["sox", "-D", "-V1", raw.name, "-r", "8000", "-c", "1", "-e", "mu-law", str(out),
             "highpass", "120", "silence", "1", "0.01", "0.4%", "reverse",
             "silence", "1", "0.01", "0.4%", "reverse",
             "norm", str(LOUD_DB if loud else NORMAL_DB)], check=True)


def lines(book):
    """(file stem, voice, text, loud) of every line, in order."""
    for story in book["story"]:
        voices = {"a": story["first"], "c": story["second"]}
        for part in ("opening", "body", "on_prompt", "on_barge", "closing"):
            for n, turn in enumerate(story.get(part, [])):
                if "say" in turn:
                    stem = f"{story['id']}-{part}-{n}"
                    yield stem, voices[turn["who"]], turn["say"], turn.get("loud", False)
    for coach in book.get("coach", []):
        for n, text in enumerate(coach["say"]):
            yield f"{coach['id']}-coach-{n}", coach["voice"], text, False
    for said in book.get("announcement", []):
        yield f"announcement-{said['id']}", said["voice"], said["say"], False


def main():
    book = tomllib.loads((HERE / "stories.toml").read_text())
    out = HERE / "rendered"
    out.mkdir(exist_ok=True)
    wanted = set()
    for stem, voice, text, loud in lines(book):
        path = out / f"{stem}.wav"
        wanted.add(path)
        speak(book["voices"][voice], text, loud, path)
    for old in out.glob("*.wav"):
        if old not in wanted:
            old.unlink()
    size = sum(p.stat().st_size for p in wanted)
    print(f"{len(wanted)} lines, {size / 1e6:.2f} MB, about {size // 8000} s of speech")


if __name__ == "__main__":
    sys.exit(main())
