"""How fast the reader is, beside one union regex over the same texts in the same run.

    python bench/reading.py

union_regex   every plain word that the reader knows, one alternation, findall: what mere word-spotting costs
reader        the whole reading: folding, words, concepts, weighing, money, facts, evidence
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rapid_response.intake.reading import default_reader
from rapid_response.intake.reading.knowledge import shipped_knowledge
from rapid_response.intake.reading.phrases import known_words

CORPUS = Path(__file__).parent.parent / "tests" / "reading" / "corpus" / "train_first.jsonl"
ZONE = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 23, 13, 30, tzinfo=ZONE)
WORDS = 100
SECONDS = 2.0
ROUNDS = 3


def hundred_word_texts() -> list[str]:
    """The corpus run together and cut every hundred words: real words, of the length the goal names."""
    words = " ".join(json.loads(line)["text"] for line in CORPUS.read_text().splitlines()).split()
    return [" ".join(words[at : at + WORDS]) for at in range(0, len(words) - WORDS, WORDS)]


def rate(read: Callable[[str], object], texts: list[str]) -> tuple[float, float]:
    """Texts a processor-second (median of rounds) and the 99th percentile of one text, in milliseconds."""
    rates, single = [], []
    for _ in range(ROUNDS):
        # Processor time of this process: neighbours on the machine do not count.
        done, start = 0, time.process_time()
        while time.process_time() - start < SECONDS:
            for text in texts:
                began = time.process_time()
                read(text)
                single.append(time.process_time() - began)
            done += len(texts)
        rates.append(done / (time.process_time() - start))
    single.sort()
    return statistics.median(rates), single[int(len(single) * 0.99)] * 1000


def main() -> None:
    """Prints one table."""
    began = time.process_time()
    reader = default_reader()
    reader.read("warm", channel=None, received_at=NOW, zone=ZONE)
    loaded = time.process_time() - began
    texts = hundred_word_texts()
    union = re.compile(r"\b(?:" + "|".join(map(re.escape, known_words(shipped_knowledge().index))) + r")\b")
    base, _ = rate(lambda text: union.findall(text.lower()), texts)
    ours, slowest = rate(lambda text: reader.read(text, channel=None, received_at=NOW, zone=ZONE), texts)
    hostile = ("he is at the door now and wants £500 " * 3000)[:100_000]
    began = time.process_time()
    reader.read(hostile, channel=None, received_at=NOW, zone=ZONE)
    long = (time.process_time() - began) * 1000
    print(f"knowledge loaded and first reading   {loaded * 1000:8.0f} ms")
    print(f"union_regex (baseline)               {base:8.0f} texts of {WORDS} words a second")
    print(f"reader                               {ours:8.0f} texts a second, p99 {slowest:.2f} ms")
    print(f"reader / union_regex                 {ours / base:8.2f}")
    print(f"100 kB of hostile text               {long:8.0f} ms")


if __name__ == "__main__":
    main()
