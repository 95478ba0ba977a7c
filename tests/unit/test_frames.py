"""Frames arrive whole, however the socket cuts them."""

import socket
import threading

from hypothesis import given
from hypothesis import strategies as st

from ragcomm_api.frames import frame, pack, read_frame, unpack


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_frames_come_out_as_they_went_in(contents: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(b"".join(map(frame, contents)))
        received = []
        while (content := read_frame(theirs)) is not None:
            received.append(content)
    assert received == contents


def test_a_frame_that_is_cut_into_pieces_is_joined() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        whole = frame(b"0123456789" * 100_000)

        def drip() -> None:
            for i in range(0, len(whole), 70_001):
                ours.sendall(whole[i : i + 70_001])

        sender = threading.Thread(target=drip)
        sender.start()
        assert read_frame(theirs) == b"0123456789" * 100_000
        sender.join()


def test_a_frame_that_breaks_off_is_none() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(frame(b"whole")[:-1])
        assert read_frame(theirs) is None


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_documents_may_hold_anything_even_line_feeds(documents: list[bytes]) -> None:
    assert unpack(pack({"a": "\n"}, documents)) == ({"a": "\n"}, documents)
