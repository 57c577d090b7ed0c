//! Agent desktops.
//! Owns: layout, desktop service, the ordered widgets.
//! Never: decides who sees a widget; that is the gates' work (`crate::gate`).

use serde::{Deserialize, Serialize};

use crate::id::DesktopId;
use crate::widget::Widget;

mod draft;

pub use draft::{DesktopDraft, PASSWORD_BYTES_MAX, Passwords, WidgetInDraft, layout_problem};

/// Widgets that one desktop may have. More than a screen holds; bounds a document's size.
pub const WIDGETS_MAX: usize = 32;

/// A desktop's fixed service (S1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DesktopService {
    /// Agent Panel, Agent Panel + Extended Panel.
    Standard,
    /// Agent Panel + Extended Panel, Agent Panel + Designer.
    Designer,
}

/// The three layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Agent Panel.
    AgentPanel,
    /// Agent Panel + Extended Panel.
    ExtendedPanel,
    /// Agent Panel + Designer.
    Designer,
}

/// An agent desktop, valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Desktop {
    /// Identity.
    pub id: DesktopId,
    /// 1-60 characters, unique.
    pub name: String,
    /// Fixed at creation.
    pub service: DesktopService,
    /// Layout.
    pub layout: Layout,
    /// Widgets, in the order in which agents see them.
    pub widgets: Vec<Widget>,
    /// Revision; 0 before the first save.
    pub revision: i64,
}
