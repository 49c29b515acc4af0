//! The question that an export asks, as `XPath` of the event log service.

use jiff::Timestamp;

/// Every record.
pub(super) const ALL: &str = "*";

/// Which records of a channel are wanted.
pub(super) struct Query {
    /// None older than this.
    pub(super) since: Timestamp,
    /// Of these event ids; all when there are none.
    pub(super) ids: &'static [u32],
    /// None before this record.
    pub(super) from_record: Option<u64>,
}

impl Query {
    /// The `XPath`, such as `*[System[TimeCreated[@SystemTime>='2026-03-01T11:00:00.000Z']]]`. It
    /// is made of numbers alone, so nothing in it needs an escape. The service takes about twenty
    /// comparisons in a query.
    pub(super) fn text(&self) -> String {
        let mut terms = vec![format!("TimeCreated[@SystemTime>='{:.3}']", self.since)];
        if let Some(record) = self.from_record {
            terms.push(format!("EventRecordID>={record}"));
        }
        if !self.ids.is_empty() {
            let ids: Vec<String> = self.ids.iter().map(|id| format!("EventID={id}")).collect();
            terms.push(format!("({})", ids.join(" or ")));
        }
        format!("*[System[{}]]", terms.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(ids: &'static [u32], from_record: Option<u64>) -> String {
        let since = "2026-03-01T11:00:00.123456Z".parse().unwrap();
        Query {
            since,
            ids,
            from_record,
        }
        .text()
    }

    #[test]
    fn a_question_names_what_is_wanted() {
        assert_eq!(
            query(&[], None),
            "*[System[TimeCreated[@SystemTime>='2026-03-01T11:00:00.123Z']]]"
        );
        assert_eq!(
            query(&[4625, 4624], Some(7)),
            "*[System[TimeCreated[@SystemTime>='2026-03-01T11:00:00.123Z'] \
             and EventRecordID>=7 and (EventID=4625 or EventID=4624)]]"
        );
    }

    #[test]
    fn the_service_takes_the_question_for_security() {
        let text = query(snapdiag_bundle::channel::SECURITY_IDS, Some(1));
        assert!(text.matches('=').count() <= 20, "{text}");
    }
}
