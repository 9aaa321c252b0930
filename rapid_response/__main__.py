"""`python -m rapid_response` is `rapid-response`."""

from rapid_response.cli import main

if __name__ == "__main__":
    main()
