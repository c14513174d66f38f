"""Ask a web server at a steady rate over new connections, and print how each request went: run with a client's interpreter.

Arguments: host, requests a second, seconds. Prints a JSON list of [time at which it began, HTTP status or 0, error], early when told to end.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
import time

TIMEOUT = 3.0


def ask(host: str, began: float, results: list[tuple[float, int, str]]) -> None:
    connection = http.client.HTTPConnection(host, 80, timeout=TIMEOUT)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        results.append((began, answer.status, ""))
    except (OSError, http.client.HTTPException) as error:
        results.append((began, 0, str(error) or type(error).__name__))
    finally:
        connection.close()


def main() -> None:
    host, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    results: list[tuple[float, int, str]] = []
    threads = []
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    started = time.monotonic()
    for number in range(round(rate * seconds)):
        due = number / rate
        if ended.wait(max(0.0, started + due - time.monotonic())):
            break
        threads.append(threading.Thread(target=ask, args=(host, time.time(), results)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    print(json.dumps(sorted(results)))


if __name__ == "__main__":
    main()
