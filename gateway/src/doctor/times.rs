//! Dates as HTTP and certificates write them.

/// Months as HTTP names them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Unix seconds of a time in UTC. `None` for what is no date.
fn unix(year: i64, month: i64, day: i64, time: [i64; 3]) -> Option<i64> {
    let [hour, minute, second] = time;
    let is_date = (1970..=9999).contains(&year) && (1..=12).contains(&month);
    let is_time =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    if !is_date || !is_time || !(1..=31).contains(&day) {
        return None;
    }
    // A year begins in March, so that the leap day is its last one.
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (from_march * 153 + 2) / 5 + day - 1;
    // 719,468 days from the first of March of the year 0 to 1970.
    Some((days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http(text: &str) -> Option<i64> {
    let (_, date) = text.split_once(", ")?;
    let mut words = date.split(' ');
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year = words.next()?.parse().ok()?;
    let mut time = words.next()?.split(':').map(|number| number.parse::<i64>().ok());
    let time = [time.next()??, time.next()??, time.next()??];
    unix(year, i64::try_from(month).ok()? + 1, day, time)
}

/// `941106084937Z` or, from 2050 on, `20501106084937Z`.
pub fn asn1(text: &[u8]) -> Option<i64> {
    let digits = text.strip_suffix(b"Z")?;
    let mut numbers = Vec::new();
    for pair in digits.chunks(2) {
        let [tens, ones] = pair else { return None };
        if !(tens.is_ascii_digit() && ones.is_ascii_digit()) {
            return None;
        }
        numbers.push(i64::from(tens - b'0') * 10 + i64::from(ones - b'0'));
    }
    let (year, rest) = match numbers.as_slice() {
        [century, year, rest @ ..] if rest.len() == 5 => (century * 100 + year, rest),
        [year, rest @ ..] if rest.len() == 5 => {
            (if *year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        _ => return None,
    };
    let [month, day, hour, minute, second] = rest else { return None };
    unix(year, *month, *day, [*hour, *minute, *second])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_rfc_9110_and_rfc_5280_write_them() {
        assert_eq!(http("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http("Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
        assert_eq!(asn1(b"941106084937Z"), Some(784_111_777));
        assert_eq!(asn1(b"20240229120000Z"), Some(1_709_208_000));
        assert_eq!(asn1(b"491231235959Z"), Some(2_524_607_999));
        for text in
            ["", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT", "x, 1 Jan 99999 0:0:0"]
        {
            assert_eq!(http(text), None, "{text}");
        }
        for text in [b"".as_slice(), b"Z", b"94110608493Z", b"9411060849x7Z"] {
            assert_eq!(asn1(text), None);
        }
    }
}
