"""The commands that run another command: `timeout 60 hive …`, `ssh host "hive …"`, `docker exec db mysql …`.

Sources of their options: the manual pages of GNU coreutils, findutils, util-linux, OpenSSH and sudo, and the
command-line references of Docker and kubectl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """How the words of a wrapper are read.

    Attributes:
        values: the options whose value is the next word.
        operands: number of words before the command: the host of `ssh`.
        ends_operands: whether the command follows `--`, whatever is before it.
        script_option: the letter of the option whose value is a script: `c` of `bash -c`.
        takes_script: whether the rest is not a command but one script, its words joined by blanks.
        reads_script: whether it runs its standard input as a script if it is given no command.
        subcommands: those that run a command; its other ones do not.
    """

    values: frozenset[str] = frozenset()
    operands: int = 0
    ends_operands: bool = field(default=False, kw_only=True)
    script_option: str = ""
    takes_script: bool = False
    reads_script: bool = False
    subcommands: Mapping[str, _Wrapper] = field(default_factory=dict)


_ANY = 1 << 30
"""The number of operands of a wrapper that takes its command only from an option."""
_NO_COMMAND = _Wrapper(operands=_ANY)
_SHELL = _Wrapper(_words("-o -O --rcfile --init-file"), _ANY, "c", reads_script=True)
_SSH = _Wrapper(
    _words("-B -b -c -D -E -e -F -I -i -J -L -l -M -m -O -o -P -p -Q -R -S -W -w"),
    1,
    takes_script=True,
    reads_script=True,
)
_HOSTS = _Wrapper(_words("-w -x -g -h -H -l -f -u -t -p -o -e -O -R -X"), takes_script=True)
_IN_CONTAINER = _Wrapper(_words("-u --user -e --env -w --workdir --env-file --detach-keys --index"), 1)
_OF_IMAGE = _Wrapper(
    _words(
        "-a -c -e -h -l -m -p -u -v -w --add-host --attach --cap-add --cap-drop --cidfile --cpus --cpu-shares"
        " --cpuset-cpus --device --dns --entrypoint --env --env-file --expose --gpus --group-add --health-cmd"
        " --hostname --ip --ipc --label --link --log-driver --log-opt --memory --mount --name --net --network"
        " --network-alias --pid --platform --publish --pull --restart --runtime --security-opt --shm-size"
        " --stop-signal --sysctl --tmpfs --ulimit --user --userns --volume --volumes-from --workdir"
    ),
    1,
)
_CONTAINERS = {"exec": _IN_CONTAINER, "run": _OF_IMAGE}
_COMPOSE = _Wrapper(
    _words("-f --file -p --project-name --env-file --profile --project-directory"), subcommands=_CONTAINERS
)
_DOCKER = _Wrapper(
    _words("-H --host -c --context --config -l --log-level"),
    subcommands={**_CONTAINERS, "container": _Wrapper(subcommands=_CONTAINERS), "compose": _COMPOSE},
)
_CLUSTER_OPTIONS = _words(
    "-n --namespace -c --container --context --kubeconfig --cluster --user -s --server -f --filename --image"
    " --token --pod-running-timeout"
)
_CLUSTER = _Wrapper(
    _CLUSTER_OPTIONS,
    subcommands={
        "exec": _Wrapper(_CLUSTER_OPTIONS, 1, ends_operands=True),
        "run": _Wrapper(_CLUSTER_OPTIONS, _ANY, ends_operands=True),
    },
)
_SU = _Wrapper(_words("-s --shell -g --group -G --supp-group -w -C -u --user"), _ANY, "c", reads_script=True)
_WRAPPERS: Mapping[str, _Wrapper] = {
    **dict.fromkeys(("nohup", "setsid", "command", "builtin", "unbuffer", "busybox"), _Wrapper()),
    **dict.fromkeys(("bash", "sh", "zsh", "ksh", "dash", "ash"), _SHELL),
    **dict.fromkeys(("ssh", "autossh", "slogin"), _SSH),
    **dict.fromkeys(("pdsh", "clush", "pssh", "parallel-ssh", "dsh"), _HOSTS),
    **dict.fromkeys(("docker", "podman", "nerdctl"), _DOCKER),
    **dict.fromkeys(("docker-compose", "podman-compose"), _COMPOSE),
    **dict.fromkeys(("kubectl", "oc", "k3s"), _CLUSTER),
    **dict.fromkeys(("gosu", "su-exec", "chroot", "faketime", "taskset", "chrt"), _Wrapper(operands=1)),
    **dict.fromkeys(("proxychains", "proxychains4"), _Wrapper(_words("-f"))),
    **dict.fromkeys(("at", "batch"), _Wrapper(_words("-q -t -f"), _ANY, reads_script=True)),
    "cgexec": _Wrapper(_words("-g")),
    "doas": _Wrapper(_words("-u -C")),
    "env": _Wrapper(_words("-u --unset -C --chdir -a --argv0"), script_option="S"),
    "eval": _Wrapper(takes_script=True),
    "exec": _Wrapper(_words("-a")),
    "flock": _Wrapper(_words("-w --wait --timeout -E --conflict-exit-code"), 1, "c"),
    "ionice": _Wrapper(_words("-c --class -n --classdata")),
    "nice": _Wrapper(_words("-n --adjustment")),
    "nsenter": _Wrapper(_words("-t --target -S --setuid -G --setgid")),
    "numactl": _Wrapper(_words("-C -N -m -i -p -w")),
    "parallel": _Wrapper(
        _words("-j --jobs -a --arg-file -S -I --delay --timeout --joblog"), takes_script=True
    ),
    "prlimit": _Wrapper(_words("-p --pid")),
    **dict.fromkeys(("su", "runuser", "sg"), _SU),
    "screen": _Wrapper(_words("-S -t -c -e -h -p -s -T")),
    "script": _Wrapper(_words("-o -T -t -m -E"), _ANY, "c"),
    "setpriv": _Wrapper(_words("--reuid --regid --groups --ruid --rgid")),
    "sshpass": _Wrapper(_words("-p -f -d -P")),
    "stdbuf": _Wrapper(_words("-i -o -e --input --output --error")),
    "strace": _Wrapper(_words("-e -o -p -s -u -E -P")),
    "sudo": _Wrapper(
        _words(
            "-u -g -h -p -C -D -R -r -t -T -U --user --group --host --prompt --close-from --chdir --chroot"
            " --role --type --command-timeout --other-user"
        )
    ),
    "systemd-run": _Wrapper(_words("-p --property -u --unit -E --setenv -M --slice --uid --gid")),
    "time": _Wrapper(_words("-f --format -o --output")),
    "timeout": _Wrapper(_words("-s --signal -k --kill-after"), 1),
    "trap": _Wrapper(takes_script=True),
    "vagrant": _Wrapper(subcommands={"ssh": _Wrapper(operands=_ANY, script_option="c")}),
    "watch": _Wrapper(_words("-n --interval -q --equexit"), takes_script=True),
    "xargs": _Wrapper(
        _words(
            "-I -n -P -L -d -a -E -s --max-args --max-procs --max-lines --delimiter --arg-file --eof"
            " --max-chars"
        )
    ),
}
_RUNS_FOUND = _words("-exec -execdir -ok -okdir")
_SAME_SHELL = frozenset({"eval", "trap"})
_LONG_SCRIPT_OPTIONS = {"c": ("--command", "--session-command"), "S": ("--split-string",)}


@dataclass(frozen=True, slots=True)
class InnerWords:
    """The words of a wrapper from which the inner command is read.

    Attributes:
        begin: the first of them.
        end: the one after the last.
        is_script: whether they are a script, and not the words of the command.
        skipped: number of characters before the script in the first word, which is an option then.
    """

    begin: int
    end: int
    is_script: bool = False
    skipped: int = 0


def is_wrapper(name: str) -> bool:
    """Whether a program runs another command."""
    return name in _WRAPPERS


def reads_script(name: str) -> bool:
    """Whether a program that is given no command runs its standard input as a script."""
    return name in _WRAPPERS and _WRAPPERS[name].reads_script


def runs_in_same_shell(name: str) -> bool:
    """Whether the script that a wrapper runs has the variables of the script around it."""
    return name in _SAME_SHELL


def inner_words(name: str, words: Sequence[str]) -> InnerWords | None:
    """Return which of the words after the wrapper `name` are its command; None if it is given none.

    Args:
        name: the wrapper's name.
        words: the words after it as written.
    """
    if name == "find":
        return _found_command(words)
    wrapper = _WRAPPERS.get(name)
    if wrapper is None:
        return None
    operands, ended, index = wrapper.operands, False, 0
    if name == "runuser" and not {"-u", "--user"}.isdisjoint(words):
        operands = 0  # `runuser -u user command`, which is not the form of `su`
    while index < len(words):
        word = words[index]
        if word == "--" and not ended:
            ended, operands = True, 0 if wrapper.ends_operands else operands
        elif not ended and len(word) > 1 and word.startswith("-"):
            if (found := _script_option(wrapper, words, index)) is not None:
                return found
            index += _takes_value(wrapper, word)
        elif wrapper.subcommands:
            wrapper = wrapper.subcommands.get(word, _NO_COMMAND)
            operands = wrapper.operands
        elif operands:
            operands -= 1
        else:
            return InnerWords(index, _script_end(name, words, index), wrapper.takes_script)
        index += 1
    return None


def _takes_value(wrapper: _Wrapper, word: str) -> bool:
    """Whether the next word is the value of an option, also of the last of several letters (`-iu root`)."""
    if word in wrapper.values:
        return True
    letters = word[1:]
    return (
        letters.isalpha()
        and f"-{letters[-1]}" in wrapper.values
        and not any(f"-{letter}" in wrapper.values for letter in letters[:-1])
    )


def _script_option(wrapper: _Wrapper, words: Sequence[str], index: int) -> InnerWords | None:
    letter, word = wrapper.script_option, words[index]
    if not letter:
        return None
    for option in _LONG_SCRIPT_OPTIONS.get(letter, ()):
        if word.startswith(f"{option}="):
            return InnerWords(index, index + 1, is_script=True, skipped=len(option) + 1)
        if word == option and index + 1 < len(words):
            return InnerWords(index + 1, index + 2, is_script=True)
    options = word[1:] if word.startswith("-") else ""
    if options.isascii() and options.isalpha() and letter in options and index + 1 < len(words):
        return InnerWords(index + 1, index + 2, is_script=True)
    if word[1] == letter and word[2:3] in ("'", '"'):
        return InnerWords(index, index + 1, is_script=True, skipped=2)
    return None


def _script_end(name: str, words: Sequence[str], begin: int) -> int:
    if name == "trap":
        return begin + 1
    if name == "parallel":
        return next(
            (index for index in range(begin, len(words)) if words[index].startswith(":::")), len(words)
        )
    return len(words)


def _found_command(words: Sequence[str]) -> InnerWords | None:
    for index, word in enumerate(words[:-1]):
        if word in _RUNS_FOUND:
            return InnerWords(index + 1, len(words))
    return None
