"""A process goes into the sandbox that bubblewrap has made, and gives up every right that it could have there. Linux.

bubblewrap decides what is seen. It would have to start a Python anew for each fit, which imports for seconds; so a fork
of one that has its libraries joins the namespaces of a process that bubblewrap has started (setns(2)).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import struct

CLONE_NEWUSER = 0x10000000
OTHERS = ("mnt", "pid", "net", "ipc", "uts", "cgroup")  # of an init's namespaces, beside that of its users
NS_GET_USERNS = 0xB701  # ioctl_ns(2)
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITIES = 64
KEYCTL_JOIN_SESSION_KEYRING = 1
KEYCTL = {"x86_64": 250, "aarch64": 219}  # the number of the system call


def enter(pid: int) -> None:
    """Join the namespaces of a process; a child that is forked then has its process ids, too.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    opened = {name: os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for name in ("user", *OTHERS)}
    owner = fcntl.ioctl(opened["mnt"], NS_GET_USERNS)  # bubblewrap has made another below it, to forbid more
    _join(owner, CLONE_NEWUSER)
    for name in OTHERS:
        _join(opened[name], 0)
    if os.fstat(owner).st_ino != os.fstat(opened["user"]).st_ino:
        _join(opened["user"], CLONE_NEWUSER)
    for descriptor in (owner, *opened.values()):
        os.close(descriptor)


def give_up_rights() -> None:
    """Let this process, and all that it starts, have none of a superuser's rights, whoever it is; and no way to any.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    for capability in range(CAPABILITIES):
        if _libc().prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break  # this kernel knows no more
    _require(_libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    _require(_libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    none = ctypes.create_string_buffer(bytes(24))
    _require(_libc().capset(ctypes.create_string_buffer(struct.pack("Ii", CAPABILITY_VERSION_3, 0)), none))
    _leave_keyring()


def _leave_keyring() -> None:
    """Take an empty keyring: what was inherited would be shared with other fits."""
    number = KEYCTL.get(platform.machine())
    if number is not None:
        _libc().syscall(number, KEYCTL_JOIN_SESSION_KEYRING, None)  # a kernel may be without keyrings


def _join(descriptor: int, kind: int) -> None:
    _require(_libc().setns(descriptor, kind))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _require(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
