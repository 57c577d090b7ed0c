//! Designer desktops, and the desktops that use them.

use domain::boundary::{Change, Designs, Desktops, StoreError};
use domain::designer::{DesignDraft, DesignerDesktop};
use domain::desktop::Desktop;
use domain::id::DesignId;

use crate::place::{Place, commit, next, saved_desktop};

fn design(name: &str) -> DesignerDesktop {
    DesignDraft::starter(name.to_owned())
        .parse(DesignId::from_random(next()), 0, |_| false)
        .unwrap()
}

async fn designs_come_back_as_they_were_saved(place: Place) {
    let database = place.open().await;
    let (mut billing, sales) = (design("billing"), design("sales"));
    assert_eq!(
        commit(&database, Change::SaveDesign(sales.clone())).await,
        Ok(1)
    );
    assert_eq!(
        commit(&database, Change::SaveDesign(billing.clone())).await,
        Ok(1)
    );
    billing.revision = 1;
    billing.tiles.pop();
    assert_eq!(
        commit(&database, Change::SaveDesign(billing.clone())).await,
        Ok(2)
    );
    assert_eq!(
        commit(&database, Change::SaveDesign(billing.clone())).await,
        Err(StoreError::Conflict)
    );
    billing.revision = 2;
    let sales = DesignerDesktop {
        revision: 1,
        ..sales
    };
    assert_eq!(
        database.design(&billing.id).await,
        Ok(Some(billing.clone()))
    );
    assert_eq!(database.designs().await, Ok(vec![billing.clone(), sales]));
    let history = database.design_revisions(&billing.id, 10).await.unwrap();
    assert_eq!(history[0].design, billing);
    let told: Vec<_> = history
        .iter()
        .map(|saved| (saved.design.revision, saved.saved_by.as_str()))
        .collect();
    assert_eq!(told, [(2, "system"), (1, "system")]);
    let newest = database.design_revisions(&billing.id, 1).await;
    assert_eq!(newest, Ok(vec![history[0].clone()]));
    let first = database.design_revision(&billing.id, 1).await;
    assert_eq!(first, Ok(Some(history[1].clone())));
    assert_eq!(database.design_revision(&billing.id, 3).await, Ok(None));
    let twin = commit(&database, Change::SaveDesign(design("sales"))).await;
    assert_eq!(twin, Err(StoreError::Taken("name")));
}

async fn a_design_and_the_desktop_that_uses_it_are_saved_together_or_not_at_all(place: Place) {
    let database = place.open().await;
    let desk = saved_desktop(&database, "billing").await;
    let mut plan = design("billing");
    commit(&database, Change::SaveDesign(plan.clone()))
        .await
        .unwrap();
    plan.revision = 1;
    let bound = Desktop {
        design: Some(plan.id.clone()),
        ..desk.clone()
    };
    let bind = |desktop: &Desktop, design: &DesignerDesktop| Change::BindDesign {
        desktop: desktop.clone(),
        design: design.clone(),
    };
    let late = Desktop {
        revision: 7,
        ..bound.clone()
    };
    assert_eq!(
        commit(&database, bind(&late, &plan)).await,
        Err(StoreError::Conflict)
    );
    assert_eq!(
        database.design(&plan.id).await.unwrap().unwrap().revision,
        1
    );
    assert_eq!(commit(&database, bind(&bound, &plan)).await, Ok(2));
    assert_eq!(
        database.desktop(&desk.id).await.unwrap().unwrap().design,
        bound.design
    );
    let other = Desktop {
        design: Some(plan.id.clone()),
        ..saved_desktop(&database, "sales").await
    };
    let credentials = domain::desktop::Credentials::default();
    let save = |desktop: Desktop| Change::SaveDesktop {
        desktop,
        credentials: credentials.clone(),
    };
    commit(&database, save(other.clone())).await.unwrap();
    let refused = commit(&database, Change::DeleteDesign(plan.id.clone())).await;
    let both = "the desktop billing, the desktop sales".to_owned();
    assert_eq!(refused, Err(StoreError::InUse(both)));
    let freed = Desktop {
        revision: 2,
        design: None,
        ..desk
    };
    commit(&database, save(freed)).await.unwrap();
    let other = Desktop {
        revision: 2,
        design: None,
        ..other
    };
    commit(&database, save(other)).await.unwrap();
    assert_eq!(
        commit(&database, Change::DeleteDesign(plan.id.clone())).await,
        Ok(0)
    );
    assert_eq!(database.design(&plan.id).await, Ok(None));
}

on_both!(
    designs_come_back_as_they_were_saved,
    a_design_and_the_desktop_that_uses_it_are_saved_together_or_not_at_all,
);
