"""`python -m agent` is the `vigie` command."""

import signal
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:2] == ["run"]:  # what is asked of the daemon before there is one waits until it listens
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        from agent.base.standard_streams import fill_closed

        fill_closed()
        from agent.base.process_exit import INTERRUPTED, hear_every_interrupt, speak_any_language, tell_all

        hear_every_interrupt()
        from agent.cli import run
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C before there was anything to end
    try:
        speak_any_language()
        sys.exit(tell_all(run(sys.argv[1:])))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
