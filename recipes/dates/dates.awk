# Writes folder/{train,dev,test}.{human,iso}: dates as people write them and their ISO form. The numbers come from a
# generator of our own, as awk's differ from machine to machine.

# Lehmer's generator (Park and Miller 1988): exact in doubles.
function below(n) {
  state = (state * 48271) % 2147483647
  return state % n
}

function is_leap(year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

function ordinal(day) {
  if (day >= 11 && day <= 13) return day "th"
  return day (day % 10 == 1 ? "st" : day % 10 == 2 ? "nd" : day % 10 == 3 ? "rd" : "th")
}

# 0 is Sunday (Sakamoto's method).
function weekday(year, month, day) {
  if (month < 3) year--
  return (year + int(year / 4) - int(year / 100) + int(year / 400) + shift[month] + day) % 7
}

function human(year, month, day, way, name, short, on) {
  way = below(12)
  name = months[month]
  short = substr(name, 1, 3)
  on = weekdays[weekday(year, month, day) + 1]
  if (way == 0) return day " " name " " year
  if (way == 1) return name " " day ", " year
  if (way == 2) return on ", " name " " ordinal(day) ", " year
  if (way == 3) return "the " ordinal(day) " of " name " " year
  if (way == 4) return "the " words[day] " of " name " " year
  if (way == 5) return day " " short " " year
  if (way == 6) return short " " day " " year
  if (way == 7) return on " " day " " name " " year
  if (way == 8) return sprintf("%02d.%02d.%04d", day, month, year)
  if (way == 9) return sprintf("%02d/%02d/%04d", month, day, year)
  if (way == 10) return substr(on, 1, 3) " " ordinal(day) " " short " " year
  return tolower(name " the " words[day] ", " year)
}

BEGIN {
  state = 20170612
  split("January February March April May June July August September October November December", months, " ")
  split("Sunday Monday Tuesday Wednesday Thursday Friday Saturday", weekdays, " ")
  split("31 28 31 30 31 30 31 31 30 31 30 31", days, " ")
  split("0 3 2 5 0 3 5 1 4 6 2 4", shift, " ")
  split("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth " \
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third " \
        "twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first",
        words, " ")
  left["test"] = left["dev"] = 500
  left["train"] = pairs
  while (left["train"] + left["dev"] + left["test"] > 0) {
    year = 1900 + below(200)
    month = 1 + below(12)
    day = 1 + below(days[month] + (month == 2 && is_leap(year)))
    iso = sprintf("%04d-%02d-%02d", year, month, day)
    # A date belongs to one set for good: of 73,000 dates a fiftieth each for dev and test.
    place = (year * 372 + month * 31 + day) * 7919 % 50
    set = place == 0 ? "test" : place == 1 ? "dev" : "train"
    if (left[set] == 0) continue
    left[set]--
    print human(year, month, day) > (folder "/" set ".human")
    print iso > (folder "/" set ".iso")
  }
}
