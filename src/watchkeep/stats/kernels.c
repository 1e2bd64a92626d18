/* The innermost loops of a scan. Each does what the NumPy lines beside its caller do, in one pass.

   Integers come out the same to the last bit; sums of doubles differ in the order they are added up in.
   Nothing here allocates, fails or keeps anything: the caller owns all memory and answers for its size. */

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define VECTORISED
#endif

typedef double lanes __attribute__((vector_size(4 * sizeof(double))));

static const uint64_t FIRST = 0x9E3779B97F4A7C15u, SECOND = 0xD6E8FEB86659FD93u;

#ifndef WATCHKEEP_SOURCE
#define WATCHKEEP_SOURCE 0
#endif

/* The CRC-32 of this text, given by whoever compiles it: compiled.py uses no library of another text. */
int64_t watchkeep_kernels(void)
{
    return (int64_t)WATCHKEEP_SOURCE;
}

static inline uint64_t bits_of(double value)
{
    uint64_t bits;
    value += 0.0; /* -0.0 becomes 0.0 */
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t mixed(uint64_t bits)
{
    bits *= FIRST;
    bits ^= bits >> 32;
    return bits * SECOND;
}

/* sums[k - 1] = sum((value - pivot)**k), k = 1 to 4. Two of everything: an addition need not wait for the last one. */
VECTORISED int64_t power_sums(const double *values, int64_t n, double pivot, double *sums)
{
    lanes even[4] = {{0}}, odd[4] = {{0}};
    int64_t at = 0;
    for (; at + 8 <= n; at += 8) {
        lanes d, e;
        memcpy(&d, values + at, sizeof d);
        memcpy(&e, values + at + 4, sizeof e);
        d -= pivot;
        e -= pivot;
        const lanes d2 = d * d, e2 = e * e;
        even[0] += d;
        odd[0] += e;
        even[1] += d2;
        odd[1] += e2;
        even[2] += d * d2;
        odd[2] += e * e2;
        even[3] += d2 * d2;
        odd[3] += e2 * e2;
    }
    for (int power = 0; power < 4; power++) {
        const lanes both = even[power] + odd[power];
        sums[power] = (both[0] + both[1]) + (both[2] + both[3]);
    }
    for (; at < n; at++) {
        const double d = values[at] - pivot, d2 = d * d;
        sums[0] += d;
        sums[1] += d2;
        sums[2] += d * d2;
        sums[3] += d2 * d2;
    }
    return n;
}

int64_t hash_doubles(const double *values, int64_t n, uint64_t *hashes)
{
    for (int64_t at = 0; at < n; at++)
        hashes[at] = mixed(bits_of(values[at]));
    return n;
}

/* Byte string i is data[offsets[i]] to data[offsets[i + 1] - 1]. How many there are, or the first that is not within
   the data. */
int64_t hash_bytes(const uint8_t *data, int64_t size, const int64_t *offsets, int64_t n, uint64_t *hashes)
{
    for (int64_t at = 0; at < n; at++) {
        if (offsets[at] < 0 || offsets[at + 1] < offsets[at] || offsets[at + 1] > size)
            return at;
        const uint8_t *text = data + offsets[at];
        int64_t left = offsets[at + 1] - offsets[at];
        uint64_t hash = (uint64_t)left * SECOND, word;
        for (; left >= 8; left -= 8, text += 8) {
            memcpy(&word, text, 8);
            hash = mixed(hash ^ word);
        }
        if (left > 0) {
            word = 0;
            memcpy(&word, text, (size_t)left);
            hash = mixed(hash ^ word);
        }
        hashes[at] = hash;
    }
    return n;
}

/* The hashes up to `bar` that are not in `met`, and now are. How many were written to `fresh`.
   First all up to the bar are picked, without a branch; so the look-ups, which may miss the cache, need not wait for
   each other. */
int64_t unmet(const uint64_t *hashes, int64_t n, uint64_t bar, int shift, uint64_t mask, uint64_t *met,
              uint64_t *fresh)
{
    int64_t low = 0, found = 0;
    for (int64_t at = 0; at < n; at++) {
        fresh[low] = hashes[at];
        low += hashes[at] <= bar;
    }
    for (int64_t at = 0; at < low; at++) {
        const uint64_t hash = fresh[at];
        uint64_t *slot = met + (hash >> shift & mask);
        if (*slot != hash)
            fresh[found++] = *slot = hash;
    }
    return found;
}

/* Adds 1 to the count of each value's slot, which is its bits, shifted, less `first`; `size` if that is beyond. */
int64_t count_by_range(const double *values, int64_t n, int shift, uint64_t first, uint64_t size, int64_t *counts,
                       double *strangers)
{
    int64_t found = 0;
    for (int64_t at = 0; at < n; at++) {
        const uint64_t slot = (bits_of(values[at]) >> shift) - first;
        if (slot < size)
            counts[slot]++;
        else
            strangers[found++] = values[at];
    }
    return found;
}

/* The same where a table, of the sign and exponent, tells what to add to the bits. */
int64_t count_by_octave(const double *values, int64_t n, int shift, const uint64_t *table, uint64_t size,
                        int64_t *counts, double *strangers)
{
    int64_t found = 0;
    for (int64_t at = 0; at < n; at++) {
        const uint64_t bits = bits_of(values[at]), slot = (bits >> shift) + table[bits >> 52];
        if (slot < size)
            counts[slot]++;
        else
            strangers[found++] = values[at];
    }
    return found;
}
