//! Parameters with names of several levels.
//! Owns: the objects and lists that they make, in the order in which they are first named.
//! Never: writes one.

use domain::gateway::{NamePath, Step};

use super::parameters::Parameter;
use super::value::Value;
use crate::failure::Failure;

/// A level of a body.
pub(crate) enum Node<'p, 'a> {
    /// A value.
    Leaf(&'p Value<'a>),
    /// Members in order.
    Object(Vec<(String, Node<'p, 'a>)>),
    /// Places in order.
    List(Vec<Node<'p, 'a>>),
}

/// The outermost object of these parameters.
pub(crate) fn tree<'p, 'a>(
    parameters: &'p [Parameter<'a>],
) -> Result<Vec<(String, Node<'p, 'a>)>, Failure> {
    let mut root = Node::Object(Vec::new());
    for (name, value) in parameters {
        let wrong = |why: &str| Failure::render(format!("the parameter {name:?} {why}"));
        let path = NamePath::parse(name).map_err(|error| wrong(&format!("cannot be: {error}")))?;
        if !root.put(path.steps(), value) {
            return Err(wrong("does not go together with another"));
        }
    }
    match root {
        Node::Object(members) => Ok(members),
        Node::Leaf(_) | Node::List(_) => Ok(Vec::new()),
    }
}

impl<'p, 'a> Node<'p, 'a> {
    /// False: something else is there, or a place of a list was left out.
    fn put(&mut self, steps: &[Step], value: &'p Value<'a>) -> bool {
        let Some((step, rest)) = steps.split_first() else {
            return false;
        };
        let made = || match rest.first() {
            None => Node::Leaf(value),
            Some(Step::Key(_)) => Node::Object(Vec::new()),
            Some(Step::Index(_)) => Node::List(Vec::new()),
        };
        let child = match (self, step) {
            (Node::Object(members), Step::Key(key)) => {
                let known = members.iter().position(|(known, _)| known == key);
                if known.is_some() && rest.is_empty() {
                    return false;
                }
                let at = known.unwrap_or_else(|| {
                    members.push((key.clone(), made()));
                    members.len() - 1
                });
                members.get_mut(at).map(|(_, node)| node)
            }
            (Node::List(places), Step::Index(index)) => {
                if *index < places.len() && rest.is_empty() {
                    return false;
                }
                if *index == places.len() {
                    places.push(made());
                }
                places.get_mut(*index)
            }
            (Node::Leaf(_) | Node::Object(_) | Node::List(_), Step::Key(_) | Step::Index(_)) => {
                None
            }
        };
        match child {
            Some(_) if rest.is_empty() => true,
            Some(child) => child.put(rest, value),
            None => false,
        }
    }
}
