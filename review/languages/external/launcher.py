"""Restricts this process, then becomes a linter: `launcher.py SECONDS FOLDER PROGRAM [ARGUMENT]...`.

A linter reads code of unknown authors, so it gets little memory, processor time and output, no network, no
way to other processes, and only the files that it needs to start. The restrictions are made here, in the
process that becomes the linter, and not between fork and exec of a worker that has threads. The module is
run as a script and imports only the standard library.

It is run by `python -I -S`. FOLDER has the code that the linter reads; it is empty for standard input.

`launcher.py --report PROGRAM` restricts itself, prints the restrictions that this system does not offer, and
ends.

Sources: `man 2 setrlimit`, `man 2 seccomp`, `man 7 landlock`, and the system call tables of Linux.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys

MAX_DATA_BYTES = 256 << 20
"""Private writable memory: reserved address space (shellcheck's runtime uses much) does not count."""

MAX_ADDRESS_SPACE_BYTES = 4 << 30
MAX_OUTPUT_BYTES = 8 << 20
"""Size of the file that the linter writes its findings to."""

MAX_OPEN_FILES = 64

NOT_STARTED = 126
"""Exit status if the linter could not be executed, as in a shell."""

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 1, 38, 22, 2
_SIGKILL = 9
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of a BPF filter: load a word, jump if equal, jump if at least, return."""

_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
"""Offsets in `struct seccomp_data`."""

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1
"""Return values of a filter: go on, or fail with EPERM."""

_X32_BIT = 0x40000000
"""Set in the numbers of another table of system calls on x86-64."""

# socket, io_uring_setup, ptrace, process_vm_readv, process_vm_writev
_REFUSED_CALLS = {
    "x86_64": (0xC000003E, (41, 425, 101, 310, 311)),
    "aarch64": (0xC00000B7, (198, 425, 117, 270, 271)),
}
"""By machine: its audit architecture, and the numbers of the calls that are refused."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_QUERY_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_DIR = 1, 4, 8
_RIGHTS_BY_VERSION = (0, 13, 14, 15, 15, 16)
"""Number of rights to files that each version of Landlock knows; later ones know as many as the last."""

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


def main(arguments: list[str]) -> int:
    """Restrict this process and execute the linter; return the exit status if that is not possible."""
    if arguments[0] == "--report":
        for missing in restrict(arguments[1], 1):
            print(missing)  # noqa: T201 - for the caller
        return 0
    seconds, folder, program, *rest = arguments
    restrict(program, int(seconds), folder)
    try:
        os.execv(program, [program, *rest])  # noqa: S606 - no shell is wanted
    except OSError:
        return NOT_STARTED


def restrict(program: str, seconds: int, folder: str = "") -> list[str]:
    """Restrict this process for the execution of `program`; return what the system does not offer.

    Args:
        program: the path of the only file, besides libraries and the folder, that may be read or executed.
        seconds: limit of the processor time.
        folder: the folder whose files may be read; none if it is empty.
    """
    _limit_resources(seconds)
    if sys.platform != "linux":
        return ["memory limit", "no network", "no other files"]
    libc = ctypes.CDLL(None, use_errno=True)
    # The time limit is the caller's: a linter whose caller was killed must not outlive it.
    libc.prctl(*_words(_PR_SET_PDEATHSIG, _SIGKILL))
    if libc.prctl(*_words(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)):
        return ["no network", "no other files"]
    # Landlock first: the filter must not refuse what it needs.
    missing = [] if _restrict_files(libc, program, folder) else ["no other files"]
    if not _refuse_calls(libc):
        missing.insert(0, "no network")
    return missing


def build_filter(architecture: int, calls: tuple[int, ...]) -> bytes:
    """Return the BPF program that refuses `calls`, and every call by another table of numbers."""
    refused = [(_AT_LEAST, _X32_BIT), *((_EQUAL, number) for number in calls)]
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        # Jumps count the instructions that are skipped; the last instruction refuses.
        (_EQUAL, 0, len(refused) + 2, architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        *((code, len(refused) - at, 0, value) for at, (code, value) in enumerate(refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _limit_resources(seconds: int) -> None:
    limits = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: MAX_OUTPUT_BYTES,
        resource.RLIMIT_NOFILE: MAX_OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":
        limits |= {
            resource.RLIMIT_DATA: MAX_DATA_BYTES,
            resource.RLIMIT_AS: MAX_ADDRESS_SPACE_BYTES,
        }
    for what, value in limits.items():
        _, hard = resource.getrlimit(what)
        lower = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (lower, lower))


def _refuse_calls(libc: ctypes.CDLL) -> bool:
    """Refuse the calls by which a process reaches a network or another process; return whether it worked."""
    known = _REFUSED_CALLS.get(os.uname().machine)
    if known is None:
        return False
    program = build_filter(*known)
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: number of instructions, padding, address
    head = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    return not libc.prctl(*_words(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER), head, *_words(0, 0))


def _restrict_files(libc: ctypes.CDLL, program: str, folder: str) -> bool:
    """Allow reading libraries, `program` and `folder`, and no writing; return whether the system can."""
    version = libc.syscall(*_words(_CREATE_RULESET, 0, 0, _QUERY_VERSION))
    if version < 1:
        return False
    rights = (1 << _RIGHTS_BY_VERSION[min(version, len(_RIGHTS_BY_VERSION) - 1)]) - 1
    handled = struct.pack("=Q", rights)
    ruleset = libc.syscall(*_words(_CREATE_RULESET), handled, *_words(len(handled), 0))
    if ruleset < 0:
        return False
    for path, allowed in _readable(program, folder):
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        # struct landlock_path_beneath_attr, packed
        rule = struct.pack("=Qi", allowed, file)
        failed = libc.syscall(*_words(_ADD_RULE, ruleset, _PATH_BENEATH), rule, *_words(0))
        os.close(file)
        if failed:
            return False
    failed = libc.syscall(*_words(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)
    return not failed


def _words(*values: int) -> list[ctypes.c_long]:
    """Return arguments of a variadic C function as whole registers: by default only 32 bits are defined."""
    return [ctypes.c_long(value) for value in values]


def _readable(program: str, folder: str) -> list[tuple[str, int]]:
    """Return the paths that may be read, and how."""
    libraries = [
        # Rights of folders cannot be given to a file.
        (path, _EXECUTE | _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0))  # noqa: PTH112
        for path in _LIBRARIES
        if os.path.exists(path)  # noqa: PTH110 - importing pathlib takes as long as everything else
    ]
    given = [(folder, _READ_FILE | _READ_DIR)] if folder else []
    devices = [(path, _READ_FILE) for path in _DEVICES]
    return [(program, _EXECUTE | _READ_FILE), *given, *libraries, *devices]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
