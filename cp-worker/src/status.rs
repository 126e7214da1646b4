//! HTTP statuses of the codes that requests fail with: ours, and those that gateways give.

use protocol::envelope::codes;

/// The status of a failure; 409 for every code that is not in the table.
pub fn of(code: &str) -> u16 {
    match code {
        "invalid"
        | codes::INVALID_PAYLOAD
        | codes::UNKNOWN_AGENT
        | codes::BAD_WORKDIR
        | codes::BAD_SIZE
        | codes::BAD_PATH
        | codes::BAD_KEY
        | codes::BAD_LABEL
        | codes::BAD_EXPIRY
        | codes::BAD_MANIFEST
        | codes::BAD_SIGNATURE => 400,
        "not_signed_in" | "bad_token" => 401,
        "foreign_origin" | codes::PERMISSION_DENIED => 403,
        codes::NOT_FOUND | codes::UNKNOWN_SESSION | codes::UNKNOWN_KEY | "no_release" => 404,
        "method_not_allowed" => 405,
        "stalled" => 408,
        "length_required" => 411,
        "link_expired" => 410,
        codes::TOO_LARGE => 413,
        "upgrade_required" => 426,
        "rate_limited" => 429,
        "misconfigured" | "internal" => 500,
        codes::UNSUPPORTED | codes::UNKNOWN_COMMAND | codes::UNSUPPORTED_VERSION => 501,
        // The gateway's machine could not, or what the gateway said breaks the contract.
        codes::IO
        | codes::TMUX_FAILED
        | codes::BAD_CHUNK
        | codes::BAD_CHECKSUM
        | codes::TRANSFER_EXISTS
        | codes::UNKNOWN_TRANSFER
        | "mail_failed"
        | "cloud_failed"
        | "no_answer" => 502,
        codes::BUSY
        | codes::TRANSFER_LIMIT
        | "too_many_commands"
        | "too_many_browsers"
        | "cloud_busy" => 503,
        codes::TIMED_OUT => 504,
        codes::DISK_FULL => 507,
        _ => 409,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in API.md, read as people read it.
    fn documented() -> Vec<(u16, String)> {
        let text = include_str!("../API.md");
        let table = text.split("| status | codes |").nth(1).unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        rows.flat_map(|row| {
            let mut cells = row.split('|').skip(1);
            let statuses: Vec<u16> = numbers(cells.next().unwrap());
            // Several statuses have their codes in as many groups.
            let groups: Vec<&str> = cells.next().unwrap().split(';').collect();
            assert_eq!(statuses.len(), groups.len(), "{row}");
            let codes = |group: &str| {
                let words: Vec<String> =
                    group.split('`').skip(1).step_by(2).map(str::to_owned).collect();
                words
            };
            let pairs = statuses.into_iter().zip(groups);
            pairs
                .flat_map(move |(status, group)| codes(group).into_iter().map(move |c| (status, c)))
        })
        .collect()
    }

    fn numbers(cell: &str) -> Vec<u16> {
        cell.split(',').map(|number| number.trim().parse().unwrap()).collect()
    }

    #[test]
    fn the_table_is_the_one_that_the_api_documents() {
        let documented = documented();
        assert!(documented.len() > 40, "{documented:?}");
        for (status, code) in documented {
            assert_eq!(of(&code), status, "{code}");
        }
    }
}
