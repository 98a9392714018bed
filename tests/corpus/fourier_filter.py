"""A signal smoothed in its spectrum."""

import numpy as np

T = np.linspace(0, 1, 16, endpoint=False)
CLEAN = np.sin(2 * np.pi * 2 * T)


def program(signal, cutoff, order):
    spectrum = np.fft.rfft(signal)
    frequencies = np.fft.rfftfreq(len(signal), 1 / 16)
    gain = 1 / np.sqrt(1 + (frequencies / cutoff) ** (2 * order))
    smooth = np.fft.irfft(spectrum * gain, len(signal))
    return np.mean((smooth - CLEAN) ** 2)


ARGS = (CLEAN + 0.3 * np.cos(2 * np.pi * 7 * T) + 0.1, 3.0, 1.5)
