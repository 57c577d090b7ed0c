"""Opus by libopus, its reference implementation, at 8 kHz.

Owns: an encoder and a decoder of one call.
Never: shares a line with the server's.
"""

import ctypes
import ctypes.util

RATE, FRAME = 8_000, 160
PACKET_MAX, SAMPLES_MAX = 1_275, 960
VOIP = 2048


def _library():
    name = ctypes.util.find_library("opus")
    if not name:
        raise RuntimeError("libopus is not there; install libopus0")
    library = ctypes.CDLL(name)
    library.opus_encoder_create.restype = ctypes.c_void_p
    library.opus_decoder_create.restype = ctypes.c_void_p
    library.opus_encode.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_char_p, ctypes.c_int32]
    library.opus_decode.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_int]
    library.opus_encoder_destroy.argtypes = library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    return library


class Opus:
    """What a phone of Opus has for one call; as `phone.Pcmu`."""

    # RFC 7587: its clock is 48 kHz, and so is that of the events beside it (RFC 4733).
    payload_type, events, steps = 111, 110, 6
    rtpmaps = ["111 opus/48000/2", "110 telephone-event/48000"]

    def __init__(self):
        self.library, error = _library(), ctypes.c_int(0)
        self.encoder = self.library.opus_encoder_create(RATE, 1, VOIP, ctypes.byref(error))
        self.decoder = self.library.opus_decoder_create(RATE, 1, ctypes.byref(error))
        if error.value:
            raise RuntimeError(f"libopus: {error.value}")

    def encode(self, samples):
        """A packet of 20 ms."""
        frame = (ctypes.c_int16 * FRAME)(*(int(max(-32_768, min(32_767, sample))) for sample in samples))
        packet = ctypes.create_string_buffer(PACKET_MAX)
        length = self.library.opus_encode(self.encoder, frame, FRAME, packet, PACKET_MAX)
        if length < 0:
            raise RuntimeError(f"libopus: {length}")
        return packet.raw[:length]

    def decode(self, packet):
        samples = (ctypes.c_int16 * SAMPLES_MAX)()
        length = self.library.opus_decode(self.decoder, packet, len(packet), samples, SAMPLES_MAX, 0)
        if length < 0:
            raise RuntimeError(f"libopus: {length}")
        return list(samples[:length])

    def close(self):
        self.library.opus_encoder_destroy(self.encoder)
        self.library.opus_decoder_destroy(self.decoder)
