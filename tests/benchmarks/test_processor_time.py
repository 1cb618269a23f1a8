"""Processor time by process: what is used is told, what has ended is left out."""

import os
import subprocess
import sys
import time

import psutil

from benchmarks.processor_time import ProcessorTime


def test_work_of_a_process_is_told_under_its_name() -> None:
    before = ProcessorTime.read({"us": os.getpid()})
    while os.times().user - before.seconds["us"] < 0.05:
        sum(range(10_000))
    used = ProcessorTime.read({"us": os.getpid()}).since(before)
    assert set(used) == {"us"}
    assert used["us"] > 0.0


def test_a_child_counts_for_us_unless_it_has_a_name() -> None:
    code = "while True: pass"
    child = subprocess.Popen([sys.executable, "-c", code])
    try:
        while psutil.Process(child.pid).cpu_times().user < 0.1:
            time.sleep(0.01)
        alone = ProcessorTime.read({"us": os.getpid(), "child": child.pid}).seconds
        together = ProcessorTime.read({"us": os.getpid()}).seconds
    finally:
        child.kill()
        child.wait()
    assert together["us"] - alone["us"] > 0.05
    assert alone["child"] > 0.05


def test_a_process_that_has_ended_is_left_out() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert ProcessorTime.read({"gone": child.pid}).seconds == {}
    assert ProcessorTime({"other": 1.0}).since(ProcessorTime({})) == {}
