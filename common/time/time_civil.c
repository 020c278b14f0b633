/* SPDX-License-Identifier: Apache-2.0 */
#include "time_civil.h"

struct time_civil time_civil_from_days(int32_t days) {
    int32_t z = days + 719468, era = z / 146097, of_era = z - era * 146097; /* z >= 0 from 0000-03-01 on */
    int32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t month = (5 * of_year + 2) / 153;
    struct time_civil date = {
        .year = year_of_era + era * 400 + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - (153 * month + 2) / 5 + 1,
    };
    date.yearday = days - time_civil_days(date.year, 1, 1) + 1;
    return date;
}
