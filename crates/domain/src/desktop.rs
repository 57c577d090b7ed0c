//! Agent desktops.
//! Owns: layout, desktop service, the ordered widgets.
//! Never: decides who sees a widget; that is the gates' work (`crate::gate`).

use serde::{Deserialize, Serialize};

use crate::id::{DesignId, DesktopId};
use crate::time::UnixMillis;
use crate::widget::Widget;

mod copy;
mod credentials;
mod draft;
mod standing;

pub use copy::{Carried, DesktopFile, FILE_VERSION, FileFormat};
pub use credentials::StoredCredentials;
pub use draft::{
    Credentials, DesktopDraft, PASSWORD_BYTES_MAX, SecretsSet, TypedSecret, WidgetInDraft,
    gateway_password, layout_problem,
};
pub use standing::{DesktopState, Reason, ReasonKind, Standing, Surroundings};

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
    /// The designer desktop that Agent Panel + Designer shows; none was chosen yet.
    pub design: Option<DesignId>,
    /// Revision; 0 before the first save.
    pub revision: i64,
}

/// A desktop as it was saved once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDesktop {
    /// With its revision.
    pub desktop: Desktop,
    /// When.
    pub saved_at: UnixMillis,
    /// Login name of who saved it, or "system"; empty for what an older version saved.
    pub saved_by: String,
}
