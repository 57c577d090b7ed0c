//! Designer desktops: what stands where on an agent's screen (SETTLED S1, S7).
//! Owns: tiles, their grid, and the rules from draft to design; all errors at once.
//! Never: names a widget; which one opens is what a control button says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::capture::PaymentType;
use crate::id::DesignId;
use crate::text::is_invisible;
use crate::time::UnixMillis;
use crate::widget::{DraftProblem, name_problem};

/// Columns of the grid.
pub const COLUMNS: u16 = 12;
/// Rows of the grid: ten screens of a page that is scrolled.
pub const ROWS_MAX: u16 = 240;
/// Tiles of a design: more than a screen holds; bounds a document's size.
pub const TILES_MAX: usize = 24;
/// Longest text of a script tile: three minutes of reading.
pub const SCRIPT_CHARS_MAX: usize = 2_000;
/// Longest address of a web page, as browsers take them.
pub const ADDRESS_CHARS_MAX: usize = 2_000;
/// Rows of a control buttons tile that is added: one line of buttons.
const BUTTON_ROWS: u16 = 2;

/// A designer desktop, valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DesignerDesktop {
    /// Identity.
    pub id: DesignId,
    /// 1-60 characters, unique.
    pub name: String,
    /// In reading order: by row, then by column.
    pub tiles: Vec<Tile>,
    /// Revision; 0 before the first save.
    pub revision: i64,
}

/// A designer desktop as it was saved once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDesign {
    /// With its revision.
    pub design: DesignerDesktop,
    /// When.
    pub saved_at: UnixMillis,
    /// Login name of who saved it, or "system".
    pub saved_by: String,
}

/// Something at a place of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// Its number within the design; kept while it is moved.
    pub id: u16,
    /// Where.
    pub place: Place,
    /// What.
    pub content: TileContent,
}

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// First column, 1-12.
    pub column: u16,
    /// First row, from 1.
    pub row: u16,
    /// Columns, 1-12.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// What a tile shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum TileContent {
    /// The call: exactly one, on top, over all columns.
    CallBar,
    /// The consumer.
    Customer,
    /// The buttons that open payment widgets.
    ControlButtons,
    /// Where payment widgets of a type open.
    Payment {
        /// Cards or checks.
        payment: PaymentType,
    },
    /// What the agent notes during a call.
    Notes,
    /// A text to read.
    Script {
        /// 1-2,000 characters, line breaks kept.
        text: String,
    },
    /// A page of another site, in a sandbox.
    WebPage {
        /// Its name, 1-60 characters.
        title: String,
        /// https, of a host that the server's file allows.
        address: String,
    },
}

/// A designer desktop as a form sends it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DesignDraft {
    /// Name, 1-60 characters.
    pub name: String,
    /// Tiles, in any order.
    pub tiles: Vec<Tile>,
}

impl Place {
    /// Both have a cell in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let (left, right) = (
            self.column.max(other.column),
            self.end_column().min(other.end_column()),
        );
        let (top, bottom) = (self.row.max(other.row), self.end_row().min(other.end_row()));
        left < right && top < bottom
    }

    fn end_column(self) -> u16 {
        self.column.saturating_add(self.width)
    }

    fn end_row(self) -> u16 {
        self.row.saturating_add(self.height)
    }

    fn is_on_grid(self) -> bool {
        let inside =
            |first: u16, cells: u16, end: u16, all: u16| first >= 1 && cells >= 1 && end <= all + 1;
        inside(self.column, self.width, self.end_column(), COLUMNS)
            && inside(self.row, self.height, self.end_row(), ROWS_MAX)
    }
}

impl TileContent {
    /// Least width and height in cells. A payment needs 240 px of a screen of 1,024: three columns (UX.md 2.10).
    #[must_use]
    pub fn least(&self) -> (u16, u16) {
        match self {
            Self::CallBar => (COLUMNS, 2),
            Self::Customer | Self::Notes | Self::Script { .. } => (2, 2),
            Self::ControlButtons => (3, BUTTON_ROWS),
            Self::Payment { .. } | Self::WebPage { .. } => (3, 4),
        }
    }

    /// A design has at most one like this.
    fn is_single(&self) -> bool {
        !matches!(self, Self::Script { .. } | Self::WebPage { .. })
    }
}

impl DesignDraft {
    /// What a new design begins with: the call on top, the consumer beside the buttons and both payments.
    #[must_use]
    pub fn starter(name: String) -> Self {
        let card = TileContent::Payment {
            payment: PaymentType::Card,
        };
        let check = TileContent::Payment {
            payment: PaymentType::Check,
        };
        let places = [
            (TileContent::CallBar, (1, 1, 12, 2)),
            (TileContent::Customer, (1, 3, 4, 10)),
            (TileContent::ControlButtons, (5, 3, 8, 2)),
            (card, (5, 5, 8, 12)),
            (check, (5, 17, 8, 12)),
        ];
        Self {
            name,
            tiles: (1..)
                .zip(places)
                .map(|(id, (content, place))| tile(id, content, place))
                .collect(),
        }
    }

    /// Puts a tile of control buttons under the call bar if there is none, and everything below one line lower (S7); true if it did.
    pub fn add_control_buttons(&mut self) -> bool {
        if self
            .tiles
            .iter()
            .any(|tile| tile.content == TileContent::ControlButtons)
        {
            return false;
        }
        let bar = self
            .tiles
            .iter()
            .find(|tile| tile.content == TileContent::CallBar);
        let row = bar.map_or(1, |tile| tile.place.end_row());
        for tile in self.tiles.iter_mut().filter(|tile| tile.place.row >= row) {
            tile.place.row = tile.place.row.saturating_add(BUTTON_ROWS);
        }
        let used: BTreeSet<u16> = self.tiles.iter().map(|tile| tile.id).collect();
        let id = (1..=u16::MAX)
            .find(|id| !used.contains(id))
            .unwrap_or(u16::MAX);
        let place = Place {
            column: 1,
            row,
            width: COLUMNS,
            height: BUTTON_ROWS,
        };
        self.tiles.push(Tile {
            id,
            place,
            content: TileContent::ControlButtons,
        });
        true
    }

    /// The valid design, its tiles in reading order, or everything that is wrong. `allows` says which hosts (with
    /// the port if it is not 443) a web page may have; `revision` is the one that
    /// the form was loaded with.
    ///
    /// # Errors
    /// All problems, in the order of the form, with paths like `tiles[2].place`.
    pub fn parse(
        self,
        id: DesignId,
        revision: i64,
        allows: impl Fn(&str) -> bool,
    ) -> Result<DesignerDesktop, Vec<DraftProblem>> {
        let mut problems: Vec<DraftProblem> =
            name_problem("name", "A designer desktop's name", &self.name)
                .into_iter()
                .collect();
        problems.extend(self.whole_problems());
        for (index, tile) in self.tiles.iter().enumerate().take(TILES_MAX) {
            let found = self.tile_problems(index, tile, &allows);
            problems.extend(
                found
                    .into_iter()
                    .map(|problem| problem.under(&format!("tiles[{index}]"))),
            );
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut tiles = self.tiles;
        tiles.sort_by_key(|tile| (tile.place.row, tile.place.column));
        Ok(DesignerDesktop {
            id,
            name: self.name.trim().to_owned(),
            tiles,
            revision,
        })
    }

    fn whole_problems(&self) -> Vec<DraftProblem> {
        let mut problems = Vec::new();
        if self.tiles.len() > TILES_MAX {
            problems.push(DraftProblem::new(
                "tiles",
                format!("A design has at most {TILES_MAX} tiles."),
            ));
        }
        if !self
            .tiles
            .iter()
            .any(|tile| tile.content == TileContent::CallBar)
        {
            problems.push(DraftProblem::new(
                "tiles",
                "A design needs the call bar; add it on top.",
            ));
        }
        problems
    }

    fn tile_problems(
        &self,
        index: usize,
        tile: &Tile,
        allows: &impl Fn(&str) -> bool,
    ) -> Vec<DraftProblem> {
        let before = &self.tiles[..index];
        let mut problems = Vec::new();
        if before.iter().any(|other| other.id == tile.id) {
            problems.push(DraftProblem::new(
                "id",
                "Another tile has this number; choose another.",
            ));
        }
        if tile.content.is_single() && before.iter().any(|other| other.content == tile.content) {
            problems.push(DraftProblem::new(
                "content",
                "A design has one tile of this kind; remove one.",
            ));
        }
        problems.extend(place_problem(tile));
        if before.iter().any(|other| other.place.overlaps(tile.place)) {
            problems.push(DraftProblem::new(
                "place",
                "It covers another tile; move one of them.",
            ));
        }
        problems.extend(content_problems(&tile.content, allows));
        problems
    }
}

/// A tile at column and row, with width and height.
fn tile(id: u16, content: TileContent, (column, row, width, height): (u16, u16, u16, u16)) -> Tile {
    Tile {
        id,
        place: Place {
            column,
            row,
            width,
            height,
        },
        content,
    }
}

fn place_problem(tile: &Tile) -> Option<DraftProblem> {
    let place = tile.place;
    let (width, height) = tile.content.least();
    let message = if !place.is_on_grid() {
        format!("A place lies within {COLUMNS} columns and {ROWS_MAX} rows.")
    } else if place.width < width || place.height < height {
        format!("This tile is at least {width} columns wide and {height} rows high.")
    } else if tile.content == TileContent::CallBar && place.row != 1 {
        "The call bar stands on top, in row 1.".to_owned()
    } else {
        return None;
    };
    Some(DraftProblem::new("place", message))
}

fn content_problems(content: &TileContent, allows: &impl Fn(&str) -> bool) -> Vec<DraftProblem> {
    let found = match content {
        TileContent::Script { text } => {
            let chars = text.trim().chars().count();
            let plain = !text
                .chars()
                .any(|c| is_invisible(c) && c != '\n' && c != '\t');
            let wrong = !(1..=SCRIPT_CHARS_MAX).contains(&chars) || !plain;
            let message = format!("A script has 1 to {SCRIPT_CHARS_MAX} characters of plain text.");
            [
                wrong.then(|| DraftProblem::new("content.text", message)),
                None,
            ]
        }
        TileContent::WebPage { title, address } => [
            name_problem("content.title", "A web page's name", title),
            address_problem(address, allows),
        ],
        TileContent::CallBar
        | TileContent::Customer
        | TileContent::ControlButtons
        | TileContent::Payment { .. }
        | TileContent::Notes => [None, None],
    };
    found.into_iter().flatten().collect()
}

fn address_problem(address: &str, allows: &impl Fn(&str) -> bool) -> Option<DraftProblem> {
    let message = match https_authority(address) {
        Some(_) if address.chars().count() > ADDRESS_CHARS_MAX => {
            format!("An address has at most {ADDRESS_CHARS_MAX} characters.")
        }
        Some(authority) if allows(&authority) => return None,
        Some(_) => "The server's file does not allow pages of this host; have it added to web.frame_hosts.".to_owned(),
        None => "A web page has an https address without user name, for example https://crm.example/search.".to_owned(),
    };
    Some(DraftProblem::new("content.address", message))
}

/// Host of an https address, with the port if it is not 443; none for anything else, or with a user name or password.
fn https_authority(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(draft: DesignDraft) -> Result<DesignerDesktop, Vec<DraftProblem>> {
        draft.parse(DesignId::from_random(1), 3, |host| host == "crm.example")
    }

    fn fields(draft: DesignDraft) -> Vec<String> {
        let problems = parse(draft).err().unwrap_or_default();
        problems.into_iter().map(|problem| problem.field).collect()
    }

    fn page(address: &str) -> TileContent {
        TileContent::WebPage {
            title: "Orders".to_owned(),
            address: address.to_owned(),
        }
    }

    #[test]
    fn what_a_new_design_begins_with_is_valid() {
        let design = parse(DesignDraft::starter(" Billing ".to_owned())).unwrap();
        assert_eq!(
            (design.name.as_str(), design.tiles.len(), design.revision),
            ("Billing", 5, 3)
        );
    }

    #[test]
    fn tiles_are_kept_in_reading_order() {
        let mut draft = DesignDraft::starter("Billing".to_owned());
        draft.tiles.reverse();
        let ids: Vec<u16> = parse(draft)
            .unwrap()
            .tiles
            .iter()
            .map(|tile| tile.id)
            .collect();
        assert_eq!(ids, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_path() {
        let draft = DesignDraft {
            name: " ".to_owned(),
            tiles: vec![
                tile(1, TileContent::Notes, (12, 3, 2, 2)),
                tile(1, TileContent::Notes, (1, 3, 2, 2)),
                tile(
                    2,
                    TileContent::Payment {
                        payment: PaymentType::Card,
                    },
                    (2, 4, 2, 4),
                ),
                tile(
                    3,
                    TileContent::Script {
                        text: "a\u{202E}b".to_owned(),
                    },
                    (5, 9, 4, 4),
                ),
                tile(4, page("http://crm.example"), (1, 20, 4, 4)),
                tile(5, page("https://user@crm.example"), (5, 20, 4, 4)),
                tile(6, page("https://crm.example:8443"), (9, 20, 4, 4)),
                tile(
                    7,
                    page("https://crm.example/?q=1"),
                    (1, u16::MAX, 4, u16::MAX),
                ),
            ],
        };
        assert_eq!(
            fields(draft),
            [
                "name",
                "tiles",
                "tiles[0].place",
                "tiles[1].id",
                "tiles[1].content",
                "tiles[2].place",
                "tiles[2].place",
                "tiles[3].content.text",
                "tiles[4].content.address",
                "tiles[5].content.address",
                "tiles[6].content.address",
                "tiles[7].place",
            ]
        );
    }

    #[test]
    fn a_web_page_is_https_of_an_allowed_host_and_port() {
        let allows = |authority: &str| ["crm.example", "shop.example:8443"].contains(&authority);
        for (address, expected) in [
            ("https://crm.example/a?b=1#c", true),
            ("https://CRM.example:443/", true),
            ("https://shop.example:8443", true),
            ("https://crm.example:8443", false),
            ("https://shop.example", false),
            ("https://crm.example.evil.example", false),
            ("http://crm.example", false),
            ("https://crm.example@evil.example", false),
            ("javascript:alert(1)", false),
            ("", false),
        ] {
            assert_eq!(
                address_problem(address, &allows).is_none(),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn the_call_bar_is_there_once_and_on_top() {
        let mut draft = DesignDraft::starter("Billing".to_owned());
        draft.tiles[0].place.row = 40;
        assert_eq!(fields(draft.clone()), ["tiles[0].place"]);
        draft.tiles.remove(0);
        assert_eq!(fields(draft), ["tiles"]);
    }

    #[test]
    fn a_design_has_a_bounded_number_of_tiles() {
        let script = || TileContent::Script {
            text: "Hello".to_owned(),
        };
        let mut draft = DesignDraft::starter("Billing".to_owned());
        draft
            .tiles
            .extend((0..30).map(|n| tile(n + 10, script(), (1, 40 + n * 2, 2, 2))));
        assert_eq!(fields(draft), ["tiles"]);
    }

    #[test]
    fn s7_control_buttons_are_added_under_the_call_bar_and_nothing_is_covered() {
        let mut draft = DesignDraft::starter("Billing".to_owned());
        assert!(!draft.add_control_buttons());
        draft
            .tiles
            .retain(|tile| tile.content != TileContent::ControlButtons);
        assert!(draft.add_control_buttons());
        let design = parse(draft).unwrap();
        let added = design
            .tiles
            .iter()
            .find(|tile| tile.content == TileContent::ControlButtons);
        let added = added.unwrap();
        assert_eq!(added.id, 3);
        assert_eq!(
            added.place,
            Place {
                column: 1,
                row: 3,
                width: COLUMNS,
                height: BUTTON_ROWS
            }
        );
    }

    fn any_place() -> impl Strategy<Value = Place> {
        (1..=12_u16, 1..=30_u16, 1..=12_u16, 1..=12_u16).prop_map(|(column, row, width, height)| {
            Place {
                column,
                row,
                width,
                height,
            }
        })
    }

    proptest! {
        #[test]
        fn two_places_overlap_where_a_cell_is_in_both(one in any_place(), other in any_place()) {
            let has = |place: Place, column: u16, row: u16| {
                (place.column..place.end_column()).contains(&column) && (place.row..place.end_row()).contains(&row)
            };
            let shared = (1..=24).any(|column| (1..=42).any(|row| has(one, column, row) && has(other, column, row)));
            prop_assert_eq!(one.overlaps(other), shared);
            prop_assert_eq!(other.overlaps(one), shared);
        }

        #[test]
        fn adding_control_buttons_to_any_valid_design_keeps_it_valid(places in prop::collection::vec(any_place(), 0..10)) {
            let mut tiles = vec![tile(1, TileContent::CallBar, (1, 1, 12, 2))];
            for (id, place) in (2..).zip(places) {
                let place = Place { row: place.row + 2, ..place };
                let script = TileContent::Script { text: "Hello".to_owned() };
                let fits = place.is_on_grid() && place.width >= 2 && place.height >= 2;
                if fits && !tiles.iter().any(|other| other.place.overlaps(place)) {
                    tiles.push(Tile { id, place, content: script });
                }
            }
            let mut draft = DesignDraft { name: "Any".to_owned(), tiles };
            prop_assert!(parse(draft.clone()).is_ok());
            draft.add_control_buttons();
            prop_assert!(parse(draft).is_ok());
        }
    }
}
