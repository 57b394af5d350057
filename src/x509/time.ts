/**
 * UTCTime and GeneralizedTime as RFC 5280 section 4.1.2.5 narrows them: seconds present, `Z`, no fraction.
 *
 * Times are Unix milliseconds. The calendar is computed here because `Date` belongs to the host. Rule X509-9.
 */
import { TAG } from './der.ts'
import type { DerNode } from './der.ts'
import { malformed } from './fault.ts'

/** Broken-down UTC. */
export interface CivilTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

function daysInMonth(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 && leap ? 29 : (MONTH_DAYS[month - 1] as number)
}

/** Days from 1970-01-01 to the given day of the proleptic Gregorian calendar. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146097 + dayOfEra - 719468
}

/** Unix milliseconds of a UTC time. */
export function unixTimeOf(time: CivilTime): number {
  const days = daysFromCivil(time.year, time.month, time.day)
  return (days * 86400 + time.hour * 3600 + time.minute * 60 + time.second) * 1000
}

/** The UTC time of Unix milliseconds, fractions of a second dropped. */
export function civilTimeOf(unixTime: number): CivilTime {
  const seconds = Math.floor(unixTime / 1000)
  const days = Math.floor(seconds / 86400)
  const rest = seconds - days * 86400
  const shifted = days + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1,
    hour: Math.floor(rest / 3600),
    minute: Math.floor((rest % 3600) / 60),
    second: rest % 60,
  }
}

/** Unix milliseconds of a UTCTime or GeneralizedTime value. */
export function readTime(node: DerNode): number {
  const { tag, content } = node
  // X509-9
  const yearDigits = tag === TAG.utcTime ? 2 : tag === TAG.generalizedTime ? 4 : malformed('A time was expected.')
  if (content.length !== yearDigits + 11 || content[content.length - 1] !== 0x5a)
    malformed('A time is not in DER form.')
  const digits = (offset: number, count: number): number => {
    let value = 0
    for (let i = offset; i < offset + count; i++) {
      const digit = (content[i] as number) - 48
      if (digit < 0 || digit > 9) malformed('A time holds something other than digits.')
      value = value * 10 + digit
    }
    return value
  }
  const written = digits(0, yearDigits)
  const year = yearDigits === 4 ? written : written < 50 ? 2000 + written : 1900 + written
  const at = yearDigits
  const time = {
    year,
    month: digits(at, 2),
    day: digits(at + 2, 2),
    hour: digits(at + 4, 2),
    minute: digits(at + 6, 2),
    second: digits(at + 8, 2),
  }
  const valid =
    time.month >= 1 &&
    time.month <= 12 &&
    time.day >= 1 &&
    time.day <= daysInMonth(year, time.month) &&
    time.hour < 24 &&
    time.minute < 60 &&
    time.second < 60
  if (!valid) malformed('A time names no moment of the calendar.')
  return unixTimeOf(time)
}

/** `YYYY-MM-DD HH:MM:SS UTC`, for messages. */
export function timeText(unixTime: number): string {
  const { year, month, day, hour, minute, second } = civilTimeOf(unixTime)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)} UTC`
}
