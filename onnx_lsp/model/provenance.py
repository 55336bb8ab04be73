"""What a model tells about the machine that made it."""

from __future__ import annotations

import re

LOCAL_PATH = re.compile(
    r"(?:(?:/home/|/Users/|/root/|/mnt/|/tmp/|/opt/|/workspace/|/content/|/usr/|/var/|/data/|/scratch/|/private/)[\w.\-]+"
    r"|[A-Za-z]:\\+Users\\+[\w.\-]+|[A-Za-z]:\\+[\w.\- ]+\\+[\w.\- ]+|File \"[^\"]+\", line \d+|Traceback \(most recent)"
)
