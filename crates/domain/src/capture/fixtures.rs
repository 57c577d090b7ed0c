//! Published test numbers.
//! Owns: the card and routing numbers that brands and gateways publish for tests. Tests, simulator and dry run use these and no others.
//! Never: holds a number of a real account.

use super::field::Brand;

/// A test card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestCard {
    /// Its brand.
    pub brand: Brand,
    /// Its number.
    pub number: &'static str,
    /// A security code of the right length.
    pub security_code: &'static str,
}

const fn card(brand: Brand, number: &'static str) -> TestCard {
    let security_code = match brand {
        Brand::AmericanExpress => "1234",
        Brand::Visa | Brand::Mastercard | Brand::Discover => "123",
    };
    TestCard {
        brand,
        number,
        security_code,
    }
}

/// Cards of the four brands, of every length in use.
pub const CARDS: [TestCard; 14] = [
    card(Brand::Visa, "4111111111111111"),
    card(Brand::Visa, "4242424242424242"),
    card(Brand::Visa, "4012888888881881"),
    card(Brand::Visa, "4000000000000002"),
    card(Brand::Visa, "4222222222222"),
    card(Brand::Visa, "4999999999999999993"),
    card(Brand::Mastercard, "5555555555554444"),
    card(Brand::Mastercard, "5105105105105100"),
    card(Brand::Mastercard, "2223003122003222"),
    card(Brand::AmericanExpress, "378282246310005"),
    card(Brand::AmericanExpress, "371449635398431"),
    card(Brand::AmericanExpress, "378734493671000"),
    card(Brand::Discover, "6011111111111117"),
    card(Brand::Discover, "6011000990139424"),
];

/// Cards of networks that no widget takes: Diners, JCB, UnionPay.
pub const OTHER_NETWORKS: [&str; 8] = [
    "36227206271667",
    "3056930009020004",
    "30569309025904",
    "38520000023237",
    "3530111333300000",
    "3566002020360505",
    "6200000000000005",
    "6205500000000000004",
];

/// Routing numbers that pass.
pub const ROUTING_NUMBERS: [&str; 6] = [
    "021000021",
    "011401533",
    "091000019",
    "122105155",
    "111000025",
    "322271627",
];

/// Routing numbers whose check sum is wrong.
pub const ROUTING_NUMBERS_WRONG_SUM: [&str; 2] = ["123456789", "021000022"];

/// Routing numbers whose check sum holds and which are refused by their range.
pub const ROUTING_NUMBERS_REFUSED: [&str; 4] = ["000000000", "130000006", "800000006", "999999992"];

/// An account number with leading zeros.
pub const ACCOUNT_NUMBER: &str = "000123456789";
