/* Digits that spandsp hears: raw 16-bit samples of 8 kHz on standard input, one line per digit on standard output: the digit, and the
 * position one past the frame of 20 ms in which it was reported. With an argument N the input is decoded N times more, and the last line
 * is "seconds" and the processor time of the fastest of those passes.
 * A foreign ear for the benches; nothing of it is linked into the product. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <spandsp.h>

#define FRAME 160

static long position;

static void report(void *user_data, const char *digits, int len)
{
    (void) user_data;
    for (int i = 0; i < len; i++)
        printf("%c %ld\n", digits[i], position);
}

static void count(void *user_data, const char *digits, int len)
{
    (void) digits;
    *(long *) user_data += len;
}

static void decode(const int16_t *samples, long total, digits_rx_callback_t callback, void *user_data)
{
    dtmf_rx_state_t *detector = dtmf_rx_init(NULL, callback, user_data);
    if (detector == NULL)
        exit(1);
    for (long at = 0; at < total; at += FRAME) {
        long len = total - at < FRAME ? total - at : FRAME;
        position = at + len;
        dtmf_rx(detector, samples + at, (int) len);
    }
    dtmf_rx_free(detector);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    size_t room = 1 << 20, filled = 0;
    int16_t *samples = malloc(room * sizeof *samples);
    while (samples != NULL) {
        size_t got = fread(samples + filled, sizeof *samples, room - filled, stdin);
        if (got == 0)
            break;
        filled += got;
        if (filled == room) {
            room *= 2;
            samples = realloc(samples, room * sizeof *samples);
        }
    }
    if (samples == NULL)
        return 1;
    decode(samples, (long) filled, report, NULL);
    long heard = 0;
    double fastest = 0.0;
    for (int pass = argc > 1 ? atoi(argv[1]) : 0; pass > 0; pass--) {
        double began = seconds();
        decode(samples, (long) filled, count, &heard);
        double spent = seconds() - began;
        if (fastest == 0.0 || spent < fastest)
            fastest = spent;
    }
    if (fastest > 0.0)
        printf("seconds %.6f\n", fastest);
    free(samples);
    return 0;
}
