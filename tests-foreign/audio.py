"""Audio for tests, written from the recommendations: G.711 mu-law, DTMF (Q.23), and a scan for keys that owes nothing to the server's own.

Owns: samples as lists of numbers at 8 kHz.
Never: shares a line with what it judges.
"""

import math
import random
import struct
import subprocess
import wave

RATE = 8_000
FRAME = 160
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"


def _encode(sample):
    """One sample as mu-law (ITU-T G.711)."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32_635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> exponent + 3) & 15) & 0xFF


def _decode(code):
    code = ~code & 0xFF
    magnitude = ((code & 15) << 3) + 132 << (code >> 4 & 7)
    return 132 - magnitude if code & 0x80 else magnitude - 132


ENCODED = bytes(_encode(value) for value in range(-32_768, 32_768))
DECODED = [_decode(code) for code in range(256)]


def ulaw(samples):
    return bytes(ENCODED[int(max(-32_768, min(32_767, sample))) + 32_768] for sample in samples)


def linear(payload):
    return [DECODED[code] for code in payload]


def tone(frequencies, seconds, amplitude):
    """A sum of sines, each of this amplitude."""
    count = int(seconds * RATE)
    return [sum(amplitude * math.sin(2 * math.pi * hertz * n / RATE) for hertz in frequencies) for n in range(count)]


def silence(seconds):
    return [0.0] * int(seconds * RATE)


def keyed(keys, on=0.1, off=0.1, amplitude=6_000):
    """Keys as in-band tones, from -11 dBm0 for each frequency at the default amplitude."""
    samples = []
    for key in keys:
        place = KEYS.index(key)
        samples += tone((LOW[place // 4], HIGH[place % 4]), on, amplitude) + silence(off)
    return samples


def hum(seconds, seed=1, amplitude=1_500):
    """Something like a voice: a changing fundamental with falling overtones, in syllables with pauses."""
    dice, samples = random.Random(seed), []
    while len(samples) < seconds * RATE:
        base, length = dice.uniform(110, 180), dice.randint(900, 2_400)
        weights = [dice.random() / overtone for overtone in range(1, 12)]
        for n in range(length):
            envelope = math.sin(math.pi * n / length) * amplitude
            at = 2 * math.pi * base * n / RATE
            samples.append(envelope * sum(weight * math.sin(at * overtone) for overtone, weight in enumerate(weights, 1)))
        samples += [0.0] * dice.randint(200, 1_200)
    return samples[: int(seconds * RATE)]


def read_wav(path):
    with wave.open(str(path)) as file:
        is_wide = file.getnchannels() == 2 or file.getframerate() != RATE
    if is_wide:
        # A phone that speaks more than a telephone's band records that; sox makes one of it.
        narrow = path.with_suffix(".narrow.wav")
        subprocess.run(["sox", str(path), "-r", str(RATE), "-c", "1", "-b", "16", str(narrow)], check=True)
        path = narrow
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 1 and file.getsampwidth() == 2 and file.getframerate() == RATE, file.getparams()
        data = file.readframes(file.getnframes())
    return list(struct.unpack(f"<{len(data) // 2}h", data))


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *(int(max(-32_768, min(32_767, s))) for s in samples)))


def power(samples, hertz):
    """Goertzel: the energy at one frequency, as a share that can be compared with the window's whole energy."""
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    last = before = 0.0
    for sample in samples:
        last, before = sample + factor * last - before, last
    return (last * last + before * before - factor * last * before) * 2 / len(samples)


def share(samples, hertz):
    """How much of the energy lies at one frequency, 0 to 1."""
    whole = sum(sample * sample for sample in samples)
    return power(samples, hertz) / whole if whole else 0.0


# A window of 20 ms each 10 ms. Loose on purpose: it may find keys where a standard receiver would not.
WINDOW, STEP = 160, 80
LEVEL_MIN = 60.0
PAIR_SHARE_MIN = 0.45
TWIST_MAX = 30.0
WINDOWS_MIN = 2


def loose_keys(samples):
    """Keys that might be read from audio: two windows in a row in which one low and one high frequency hold almost half of the energy."""
    found, last, run = [], None, 0
    for at in range(0, len(samples) - WINDOW, STEP):
        key = _window_key(samples[at : at + WINDOW])
        run = run + 1 if key is not None and key == last else 1
        if key is not None and run == WINDOWS_MIN:
            found.append(key)
        last = key
    return "".join(found)


def _window_key(window):
    energy = sum(sample * sample for sample in window)
    if energy / len(window) < LEVEL_MIN * LEVEL_MIN:
        return None
    low = [power(window, hertz) for hertz in LOW]
    high = [power(window, hertz) for hertz in HIGH]
    row, column = low.index(max(low)), high.index(max(high))
    a, b = low[row], high[column]
    if (a + b) / energy < PAIR_SHARE_MIN or min(a, b) * TWIST_MAX < max(a, b):
        return None
    return KEYS[row * 4 + column]


def multimon(samples, folder, name):
    """The keys that multimon-ng reads, in order."""
    path = folder / f"{name}.wav"
    write_wav(path, samples)
    raw = folder / f"{name}.raw"
    # multimon-ng wants 22.05 kHz; sox resamples.
    subprocess.run(["sox", str(path), "-t", "raw", "-e", "signed", "-b", "16", "-r", "22050", str(raw)], check=True)
    output = subprocess.run(["multimon-ng", "-q", "-a", "DTMF", "-t", "raw", str(raw)], check=True, capture_output=True, text=True)
    return "".join(line.split()[1] for line in output.stdout.splitlines() if line.startswith("DTMF:"))
