//! What tokens stand for in one request.
//! Owns: the facts of a charge or an operation, and the values that its configuration computes.
//! Never: looks anything up but in them and in the request itself.

use std::collections::BTreeMap;

use super::about::About;
use super::filtered::{Held, Octets, Unfit, Words};
use super::taken::Taken;
use super::target::Target;
use super::value::{Piece, Value, first_six, last_four, typed};
use crate::failure::Failure;
use domain::boundary::Charge;
use domain::capture::Field;
use domain::capture::brand::{BrandGuess, guess};
use domain::gateway::filter::{DateFormat, Filter};
use domain::gateway::template::{Part, Token};
use domain::gateway::{
    GatewayConfig, Kind, Mapping, Source, Space, Template, UrlTemplate, Variable,
};
use domain::money::Money;
use domain::payment::Account;
use zeroize::Zeroizing;

/// What tokens stand for. It grows while a request is made: first its URL, then `let`, then the body, then `sign`.
pub(crate) struct Facts<'a> {
    pub(crate) about: About<'a>,
    /// The sale's configuration, a step's, or an operation's.
    pub(crate) config: &'a GatewayConfig,
    /// What the answers of earlier steps gave.
    taken: &'a Taken,
    /// None while the URL is made.
    target: Option<Target>,
    computed: BTreeMap<(&'static str, &'a str), Computed>,
}

/// A computed value.
enum Computed {
    Words(Words),
    Octets(Octets),
}

impl<'a> Facts<'a> {
    /// With the URL and the variables of the configuration made.
    pub(crate) fn new(
        about: About<'a>,
        config: &'a GatewayConfig,
        taken: &'a Taken,
    ) -> Result<Self, Failure> {
        let mut facts = Self {
            about,
            config,
            taken,
            target: None,
            computed: BTreeMap::new(),
        };
        let url = UrlTemplate::parse(&config.service_url)
            .map_err(|error| Failure::render(format!("the Service URL: {error}")))?;
        facts.target = Some(Target::new(&facts, "the Service URL", &url)?);
        facts.compute(Space::Let, &config.more.variables, None)?;
        Ok(facts)
    }

    /// Whether it has a body: an operation may do without.
    pub(crate) fn has_body(&self) -> bool {
        let config = self.config;
        self.about.charge.is_some()
            || !config.request_params.is_empty()
            || !config.more.body.is_empty()
    }

    fn charge(&self) -> Result<&'a Charge, Unfit> {
        let gone = || Unfit("is gone after the sale".to_owned());
        self.about.charge.ok_or_else(gone)
    }

    /// Where the request goes.
    pub(crate) fn target(&self) -> Result<&Target, Failure> {
        self.target
            .as_ref()
            .ok_or_else(|| Failure::render("the URL is not made yet"))
    }

    /// The body is final: what is made of it follows.
    pub(crate) fn sign(&mut self, body: &[u8]) -> Result<(), Failure> {
        self.compute(Space::Sign, &self.config.more.signature, Some(body))
    }

    fn compute(
        &mut self,
        space: Space,
        rows: &'a [Mapping],
        body: Option<&[u8]>,
    ) -> Result<(), Failure> {
        for row in rows {
            let place = format!("{}{}", space.prefix(), row.name);
            let template = parse(&place, Template::parse_lines(&row.value))?;
            let computed = self.computed(&template, body);
            let computed = computed.map_err(|Unfit(why)| wrong(&place, &why))?;
            self.computed.insert((space.prefix(), &row.name), computed);
        }
        Ok(())
    }

    fn computed(&self, template: &Template, body: Option<&[u8]>) -> Result<Computed, Unfit> {
        if let [Part::Token(token)] = template.parts()
            && let Held::Bytes(octets) = self.held(token, body)?
        {
            return Ok(Computed::Octets(octets));
        }
        self.words(template, body).map(Computed::Words)
    }

    /// A text outside the body.
    fn words(&self, template: &Template, body: Option<&[u8]>) -> Result<Words, Unfit> {
        let is_captured = |token: &Token| match token.source {
            Source::Fixed(variable) => variable.is_sensitive(),
            Source::Named(..) => false,
        };
        if template.tokens().any(is_captured) {
            return Err(captured());
        }
        let mut words = Words::plain("");
        for piece in self.value_with(template, body)?.pieces {
            match piece {
                Piece::Text(text) => words.text.push_str(&text),
                Piece::Secret(text) => {
                    words.text.push_str(&text);
                    words.is_secret = true;
                }
                Piece::Digits(..) => return Err(captured()),
            }
        }
        Ok(words)
    }

    /// A mapping row's value; `place` names the row in an error.
    pub(crate) fn of_text(&self, place: &str, text: &str) -> Result<Value<'a>, Failure> {
        let template = parse(place, Template::parse(text))?;
        self.value(&template)
            .map_err(|Unfit(why)| wrong(place, &why))
    }

    /// A text outside the body: whatever was keyed, no captured value may be in it.
    pub(crate) fn of_plain_text(
        &self,
        place: &str,
        text: &str,
    ) -> Result<Zeroizing<String>, Failure> {
        let template = parse(place, Template::parse(text))?;
        let words = self.words(&template, None);
        words
            .map(|words| words.text)
            .map_err(|Unfit(why)| wrong(place, &why))
    }

    /// A value in a URL, which everybody on the way may read: neither keyed nor a credential.
    pub(crate) fn in_url(&self, place: &str, token: &Token) -> Result<Zeroizing<String>, Failure> {
        let words = self.words(&Template::of_token(token.clone()), None);
        match words {
            Ok(words) if words.is_secret => Err(wrong(place, "is a secret")),
            Ok(words) => Ok(words.text),
            Err(Unfit(why)) => Err(wrong(place, &why)),
        }
    }

    /// A template's value.
    pub(crate) fn value(&self, template: &Template) -> Result<Value<'a>, Unfit> {
        self.value_with(template, None)
    }

    fn value_with(&self, template: &Template, body: Option<&[u8]>) -> Result<Value<'a>, Unfit> {
        if let [Part::Token(token)] = template.parts() {
            return self.held(token, body)?.into_value();
        }
        let mut value = Value::default();
        for part in template.parts() {
            match part {
                Part::Literal(text) => value.push_text(text.clone()),
                Part::Token(token) => value.append(self.held(token, body)?.into_value()?),
            }
        }
        Ok(value)
    }

    /// A fact as it stands in a request.
    pub(crate) fn fact(&self, variable: Variable) -> Value<'a> {
        let value = self.of(variable).map(Held::into_value);
        value.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// A token's value after its filters.
    fn held(&self, token: &Token, body: Option<&[u8]>) -> Result<Held<'a>, Unfit> {
        let mut filters = token.filters.iter();
        let mut held = match (&token.source, body) {
            (Source::Fixed(Variable::BodyRaw), Some(body)) => {
                let hash = filters.next().ok_or_else(unhashed)?;
                let key = self.key(hash)?;
                let hashed = Octets::hashed(body, hash, key.as_ref(), false);
                Held::Bytes(hashed.ok_or_else(unhashed)?)
            }
            (Source::Fixed(variable), _) => self.of(*variable)?,
            (Source::Named(space, name), _) => self.named(*space, name)?,
        };
        for filter in filters {
            let key = self.key(filter)?;
            held = held.filtered(filter, key.as_ref())?;
        }
        Ok(held)
    }

    /// The key that a filter names.
    fn key(&self, filter: &Filter) -> Result<Option<Octets>, Unfit> {
        let Filter::Hmac(_, source) = filter else {
            return Ok(None);
        };
        let token = Token {
            at: 0,
            source: source.clone(),
            filters: Vec::new(),
        };
        match self.held(&token, None)? {
            Held::Bytes(octets) => Ok(Some(octets)),
            Held::Text(words) => Ok(Some(words.into_octets())),
            _ => Err(Unfit("has a key that is neither text nor bytes".to_owned())),
        }
    }

    fn named(&self, space: Space, name: &str) -> Result<Held<'a>, Unfit> {
        let undefined = || Unfit(format!("{{{}{name}}} is not defined", space.prefix()));
        match space {
            Space::Constant => {
                let rows = &self.config.more.constants;
                let row = rows.iter().find(|row| row.name == name);
                let row = row.ok_or_else(undefined)?;
                Ok(Held::Text(Words::plain(row.value.as_str())))
            }
            Space::Secret => {
                let found = self.about.secrets.iter().find(|(known, _)| known == name);
                let (_, secret) = found.ok_or_else(|| {
                    Unfit(format!("the secret \u{201c}{name}\u{201d} is not set"))
                })?;
                Ok(Held::Text(Words::secret(secret.expose())))
            }
            Space::Step => {
                let words = self.taken.words(name).ok_or_else(undefined)?;
                Ok(Held::Text(words.clone()))
            }
            Space::Sale => {
                let mut kept = self.about.outputs.iter();
                let found = kept.find(|output| output.name == name && !output.value.is_empty());
                let found = found.ok_or_else(|| {
                    Unfit(format!("{{sale.{name}}} was not in the answer to the sale"))
                })?;
                Ok(Held::Text(Words::plain(found.value.as_str())))
            }
            Space::Let | Space::Sign => {
                let found = self.computed.get(&(space.prefix(), name));
                Ok(match found.ok_or_else(undefined)? {
                    Computed::Words(words) => Held::Text(words.clone()),
                    Computed::Octets(octets) => Held::Bytes(octets.clone()),
                })
            }
        }
    }

    fn of(&self, variable: Variable) -> Result<Held<'a>, Unfit> {
        let about = self.about;
        if variable.kind() == Kind::Digits {
            return Ok(Held::Keyed(self.digits(variable)?));
        }
        let text = |text: &str| Held::Text(Words::plain(text));
        let once = about.once;
        Ok(match variable {
            Variable::CardExpiry => {
                Held::Expiry(self.charge()?.slot.digits(Field::Expiry.slot_index()))
            }
            Variable::CardType => text(self.brand()?.map_or("", |brand| brand.name())),
            Variable::CardBrand => text(self.brand()?.map_or("", |brand| brand.word())),
            Variable::CheckAccountType => {
                text(account(self.charge()?, |of| of.account_type.as_str()))
            }
            Variable::CheckHolderType => text(account(self.charge()?, |of| of.holder.as_str())),
            Variable::CheckHolderName => text(&self.charge()?.form.holder_name()),
            Variable::CheckBankName => text(&self.charge()?.check.bank_name),
            Variable::CheckSecCode => {
                let charge = self.charge()?;
                text(account(charge, |of| charge.check.sec_code.code(of.holder)))
            }
            Variable::PaymentAmount => Held::Amount(about.amount),
            Variable::PaymentAmountMinor => text(&about.amount.minor.to_string()),
            Variable::PaymentFee => Held::Amount(Money {
                minor: self.charge()?.form.fee_minor,
                ..about.amount
            }),
            Variable::PaymentCurrency => text(about.amount.currency.as_str()),
            Variable::PaymentCurrencyNumber => text(&currency_number(about.amount)?),
            Variable::PaymentReference => text(about.reference),
            Variable::PaymentAttempt => text(about.attempt.as_str()),
            Variable::PaymentIdempotencyKey => text(&once.idempotency_key),
            Variable::ArrangementTotal
            | Variable::ArrangementAmountMinor
            | Variable::ArrangementLastAmountMinor
            | Variable::ArrangementIntervalUnit
            | Variable::ArrangementIntervalLength
            | Variable::ArrangementIntervalDays
            | Variable::ArrangementIntervalMonths => self.arranged(variable)?,
            Variable::Form(_) if variable.is_of_arrangement() => self.arranged(variable)?,
            Variable::Form(name) => text(typed(self.charge()?, name)),
            Variable::BillingFullName => text(&self.charge()?.form.full_name()),
            Variable::CallId => text(fact(self.charge()?, "call.id")),
            Variable::CallCalled => text(fact(self.charge()?, "call.called")),
            Variable::AgentName => text(fact(self.charge()?, "agent.name")),
            Variable::TimeNow => Held::Instant(once.at),
            Variable::TimeUnix => text(&once.at.0.div_euclid(1_000).to_string()),
            Variable::TimeUnixMillis => text(&once.at.0.to_string()),
            Variable::TimeHttp => text(&once.at.http_text()),
            Variable::TxnNonce => text(&once.nonce),
            Variable::TxnDigits => text(&once.digits),
            Variable::TxnUuid => text(&once.uuid),
            Variable::RequestMethod => text(self.config.more.method.as_str()),
            Variable::RequestHost => text(&self.requested()?.origin.authority()),
            Variable::RequestPath => text(&self.requested()?.path),
            Variable::BodyRaw => return Err(unhashed()),
            Variable::CardNumber
            | Variable::CardExpiryMonth
            | Variable::CardExpiryYear
            | Variable::CardExpiryYearShort
            | Variable::CardSecurityCode
            | Variable::CardFirstSix
            | Variable::CardLastFour
            | Variable::CardMasked
            | Variable::CheckRoutingNumber
            | Variable::CheckAccountNumber => Held::Keyed(self.digits(variable)?),
        })
    }

    fn requested(&self) -> Result<&Target, Unfit> {
        let unknown = || Unfit("is not known while the URL is made".to_owned());
        self.target.as_ref().ok_or_else(unknown)
    }

    /// A fact of the arrangement; where there is none, as it was typed: nothing.
    fn arranged(&self, variable: Variable) -> Result<Held<'a>, Unfit> {
        let of_form = || self.about.charge?.form.arrangement();
        let arrangement = self.about.arrangement.cloned().or_else(of_form);
        if let (Variable::ArrangementTotal, Some(arrangement)) = (variable, &arrangement) {
            return Ok(Held::Amount(arrangement.total));
        }
        let fact = match (&arrangement, variable) {
            (Some(arrangement), _) => arrangement.fact(variable).unwrap_or_default(),
            (None, Variable::Form(name)) => typed(self.charge()?, name).to_owned(),
            (None, _) => String::new(),
        };
        Ok(match variable.kind() {
            Kind::Date => Held::Date(fact.parse().ok()),
            _ => Held::Text(Words::plain(fact)),
        })
    }

    fn brand(&self) -> Result<Option<domain::capture::Brand>, Unfit> {
        let number = self.charge()?.slot.digits(Field::CardNumber.slot_index());
        Ok(match guess(&number) {
            BrandGuess::Known(brand) => Some(brand),
            BrandGuess::Open | BrandGuess::Unknown => None,
        })
    }

    /// Keyed digits, none for every other variable.
    fn digits(&self, variable: Variable) -> Result<Value<'a>, Unfit> {
        let slot = &self.charge()?.slot;
        let keyed = |field: Field| slot.digits(field.slot_index());
        let expiry = |format| super::expiry::written(&keyed(Field::Expiry), format);
        Ok(match variable {
            Variable::CardNumber => Value::number(Some(keyed(Field::CardNumber))),
            Variable::CardSecurityCode => Value::digits(Some(keyed(Field::SecurityCode))),
            Variable::CardExpiryMonth => expiry(DateFormat::Month),
            Variable::CardExpiryYear => expiry(DateFormat::Year),
            Variable::CardExpiryYearShort => expiry(DateFormat::ShortYear),
            Variable::CardFirstSix => Value::digits(first_six(&keyed(Field::CardNumber))),
            Variable::CardLastFour => Value::number(last_four(&keyed(Field::CardNumber))),
            Variable::CardMasked => Value::masked(&keyed(Field::CardNumber)),
            Variable::CheckRoutingNumber => Value::digits(Some(keyed(Field::RoutingNumber))),
            Variable::CheckAccountNumber => Value::digits(Some(keyed(Field::AccountNumber))),
            _ => Value::default(),
        })
    }
}

fn parse(
    place: &str,
    template: Result<Template, domain::gateway::TemplateError>,
) -> Result<Template, Failure> {
    template.map_err(|error| Failure::render(format!("{place}: {error}")))
}

fn wrong(place: &str, why: &str) -> Failure {
    Failure::render(format!("{place}: the value {why}"))
}

fn captured() -> Unfit {
    Unfit("is captured, and belongs into the body only".to_owned())
}

fn unhashed() -> Unfit {
    Unfit("of the body is known in a signature only, through a hash".to_owned())
}

fn fact<'a>(charge: &'a Charge, name: &str) -> &'a str {
    let found = charge.facts.iter().find(|(known, _)| *known == name);
    found.map_or("", |(_, text)| text)
}

/// Three digits ([ISO 4217](https://www.iso.org/iso-4217-currency-codes.html)).
fn currency_number(amount: Money) -> Result<String, Unfit> {
    let currency = amount.currency;
    let unlisted = || {
        Unfit(format!(
            "is not known: ISO 4217 has no {}",
            currency.as_str()
        ))
    };
    let number = currency.number().ok_or_else(unlisted)?;
    Ok(format!("{number:03}"))
}

/// A word of the account that the agent chose.
fn account(charge: &Charge, word: impl Fn(Account) -> &'static str) -> &'static str {
    charge.form.account().map_or("", word)
}
