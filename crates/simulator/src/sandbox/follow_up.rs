//! What the sandbox is asked to do with its charges, and with what it stores.
//! Owns: which of them is meant, and what of it can still be voided or refunded.
//! Never: reads or writes the ledger.

use super::ledger::{LedgerRow, RowStatus};

/// Digits behind the point that an amount may have: no currency has more (ISO 4217).
const DECIMALS_MAX: usize = 4;

/// Of one of any currency, at that many digits.
const UNITS: u128 = 10_000;

/// The charge of this number.
pub(super) fn charge_of<'r>(rows: &'r [LedgerRow], auth_code: &str) -> Option<&'r LedgerRow> {
    let is_it = |row: &&LedgerRow| row.auth_code == auth_code && row.status == RowStatus::Charged;
    rows.iter().find(is_it)
}

/// The charge of this number, or what is stored under it: either may have a plan.
pub(super) fn planned_for<'r>(rows: &'r [LedgerRow], auth_code: &str) -> Option<&'r LedgerRow> {
    let is_stored =
        |row: &&LedgerRow| row.auth_code == auth_code && row.status == RowStatus::Stored;
    charge_of(rows, auth_code).or_else(|| rows.iter().find(is_stored))
}

/// The row of what is done with a charge, without a number of ours; the error says why it is not done. An empty amount is all of the charge.
pub(super) fn follow(
    charge: &LedgerRow,
    rows: &[LedgerRow],
    done: RowStatus,
    amount: &str,
) -> Result<LedgerRow, &'static str> {
    let its = |status: RowStatus| {
        let rows = rows.iter();
        rows.filter(move |row| row.of == charge.auth_code && row.status == status)
    };
    let amount = match amount {
        "" => &charge.amount,
        some => some,
    };
    let asked = units(amount).ok_or("the amount is no number")?;
    let whole = units(&charge.amount).ok_or("the amount of the charge is no number")?;
    let taken: u128 = its(done).filter_map(|row| units(&row.amount)).sum();
    if its(RowStatus::Voided).next().is_some() {
        return Err("The charge was voided");
    }
    if done == RowStatus::Voided && its(RowStatus::Refunded).next().is_some() {
        return Err("Some of the charge was refunded");
    }
    if asked.saturating_add(taken) > whole {
        return Err("That is more than was charged");
    }
    Ok(LedgerRow {
        at_ms: LedgerRow::now_ms(),
        status: done,
        of: charge.auth_code.clone(),
        amount: amount.to_owned(),
        auth_code: String::new(),
        ..charge.clone()
    })
}

/// An amount in ten-thousandths: "120.5" is 1,205,000.
fn units(amount: &str) -> Option<u128> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    if part.len() > DECIMALS_MAX || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{part:0<DECIMALS_MAX$}").parse().ok()?;
    Some(u128::from(whole) * UNITS + u128::from(part))
}
