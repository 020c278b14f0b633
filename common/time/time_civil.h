/* SPDX-License-Identifier: Apache-2.0 */
/* time_civil: days since the Unix epoch to the proleptic Gregorian date and back. The arithmetic is that of H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms" (howardhinnant.github.io/date_algorithms.html): years begin in March,
 * so that the leap day is last, and 400 years are one era of 146,097 days. Threads: pure. Limits: years 1 to 9999. */
#ifndef SLUICE_TIME_CIVIL_H
#define SLUICE_TIME_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

struct time_civil {
    int32_t year, month, day; /* month 1 to 12, day from 1 */
    int32_t yearday;          /* from 1 */
};

static inline bool time_civil_leap(int32_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/* Days in the month 1 to 12. */
static inline int32_t time_civil_month_days(int32_t year, int32_t month) {
    static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && time_civil_leap(year));
}

static inline int32_t time_civil_days(int32_t year, int32_t month, int32_t day) {
    int32_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400; /* y >= 0 */
    int32_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct time_civil time_civil_from_days(int32_t days);

#endif
