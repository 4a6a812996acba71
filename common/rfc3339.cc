#include "common/rfc3339.h"

#include "absl/strings/ascii.h"

namespace kinora {
namespace {

constexpr int64_t kSecondsPerDay = 86400;
constexpr size_t kSecondsLength = 19;  // "2026-01-02T03:04:05"

struct Date {
  int64_t year;
  int month;  // from 1
  int day;    // from 1
};

// The proleptic Gregorian calendar in eras of 400 years that begin in March,
// so that the leap day is the last of its year.
Date DateOf(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t of_era = days - era * 146097;
  const int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const int64_t of_year =
      of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t from_march = (5 * of_year + 2) / 153;
  Date date;
  date.day = static_cast<int>(of_year - (153 * from_march + 2) / 5 + 1);
  date.month =
      static_cast<int>(from_march < 10 ? from_march + 3 : from_march - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

int64_t DaysOf(const Date& date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  const int64_t of_year = (153 * from_march + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 -
         year_of_era / 100 + of_year - 719468;
}

void PutDigits(int64_t value, int digits, char* out) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// -1 unless these are all digits.
int64_t DigitsOf(absl::string_view text) {
  int64_t value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

void AppendRfc3339(int64_t seconds, int32_t nanos, std::string* out) {
  int64_t days = seconds / kSecondsPerDay;
  int64_t of_day = seconds % kSecondsPerDay;
  if (of_day < 0) {
    of_day += kSecondsPerDay;
    --days;
  }
  const Date date = DateOf(days);
  char text[] = "0000-00-00T00:00:00.000000000";
  PutDigits(date.year, 4, text);
  PutDigits(date.month, 2, text + 5);
  PutDigits(date.day, 2, text + 8);
  PutDigits(of_day / 3600, 2, text + 11);
  PutDigits(of_day / 60 % 60, 2, text + 14);
  PutDigits(of_day % 60, 2, text + 17);
  size_t length = kSecondsLength;
  if (nanos != 0) {
    PutDigits(nanos, 9, text + 20);
    length = sizeof(text) - 1;
    while (text[length - 1] == '0') --length;
  }
  out->append(text, length);
  out->push_back('Z');
}

bool ParseRfc3339(absl::string_view text, int64_t* seconds, int32_t* nanos) {
  if (text.size() < kSecondsLength + 1 || text.back() != 'Z') return false;
  if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':') {
    return false;
  }
  const Date date = {.year = DigitsOf(text.substr(0, 4)),
                     .month = static_cast<int>(DigitsOf(text.substr(5, 2))),
                     .day = static_cast<int>(DigitsOf(text.substr(8, 2)))};
  const int64_t hour = DigitsOf(text.substr(11, 2));
  const int64_t minute = DigitsOf(text.substr(14, 2));
  const int64_t second = DigitsOf(text.substr(17, 2));
  if (date.year < 0 || date.month < 1 || date.month > 12 || date.day < 1 ||
      hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59) {
    return false;
  }
  const int64_t days = DaysOf(date);
  // A day that its month does not have comes back as one of the next.
  if (DateOf(days).day != date.day) return false;

  absl::string_view fraction =
      text.substr(kSecondsLength, text.size() - kSecondsLength - 1);
  *nanos = 0;
  if (!fraction.empty()) {
    fraction.remove_prefix(1);
    if (text[kSecondsLength] != '.' || fraction.empty() ||
        fraction.size() > 9 || fraction.back() == '0') {
      return false;
    }
    int64_t value = DigitsOf(fraction);
    if (value < 0) return false;
    for (size_t i = fraction.size(); i < 9; ++i) value *= 10;
    *nanos = static_cast<int32_t>(value);
  }
  *seconds = days * kSecondsPerDay + hour * 3600 + minute * 60 + second;
  return true;
}

}  // namespace kinora
