//! Hours of services, as forms send them.

use domain::hours::Hours;
use domain::service::Route;

use super::pairing::wrong;
use super::services::route_problems;
use crate::problem::FieldProblem;

/// All that is wrong with them; `trunks` are those of the server's file that can be called.
pub(super) fn hours_problems(hours: &Hours, trunks: &[String]) -> Vec<FieldProblem> {
    let own = hours.problems().into_iter();
    let mut problems: Vec<FieldProblem> = own.map(|one| wrong(&one.field, one.message)).collect();
    let Some(route) = &hours.closed else {
        return problems;
    };
    if !route.leads_out() {
        let message = "lead calls to a phone system or a trunk, or nowhere";
        problems.push(wrong("hours.closed", message));
    }
    if route.fixed_agent().is_some() {
        let message = "no agent has calls of a service that is closed; leave it empty";
        problems.push(wrong("hours.closed.agent", message));
    }
    if let Route::Trunk { trunk, .. } = route
        && !trunks.contains(trunk)
    {
        let message = "choose a trunk of the server's file that has places";
        problems.push(wrong("hours.closed.trunk", message));
    }
    let of_route = route_problems(route).into_iter().map(|one| FieldProblem {
        field: one.field.replacen("route.", "hours.closed.", 1),
        message: one.message,
    });
    problems.extend(of_route);
    problems
}
