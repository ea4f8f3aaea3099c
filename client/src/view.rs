//! What state an operation sees, or what it changes: the newest, one of an epoch, or that of a transaction.

use crate::context::Context;
use crate::object::{Object, Route};
use crate::transaction::{Reading, Transaction};
use daos_common::wire::tx::ReadScope;
use daos_common::{Der, Epoch, Result};
use std::rc::Rc;
use std::sync::Arc;

/// The state that an operation works on.
#[derive(Clone, Default)]
pub enum View {
    /// Reads see the newest; changes happen by themselves.
    #[default]
    Newest,
    /// Reads see the state at this epoch; changes are refused.
    At(Epoch),
    /// Reads see the state at the transaction's epoch; changes happen when it commits.
    In(Arc<Transaction>),
}

impl From<Epoch> for View {
    /// 0 is the newest.
    fn from(epoch: Epoch) -> View {
        if epoch == 0 { View::Newest } else { View::At(epoch) }
    }
}

impl From<&View> for View {
    fn from(view: &View) -> View {
        view.clone()
    }
}

impl From<Option<Arc<Transaction>>> for View {
    fn from(transaction: Option<Arc<Transaction>>) -> View {
        transaction.map_or(View::Newest, View::In)
    }
}

impl View {
    /// The transaction, if a change belongs to one.
    ///
    /// # Errors
    /// `NO_PERM`: the view is a past epoch's.
    pub(crate) fn of_change(&self) -> Result<Option<&Arc<Transaction>>> {
        match self {
            View::Newest => Ok(None),
            View::At(epoch) => Err(Der::NO_PERM.err(format!("a change at epoch {epoch:#x}, which is past"))),
            View::In(transaction) => Ok(Some(transaction)),
        }
    }

    /// Begins a read of `scopes` in the group of `route`, whose answer, with an epoch, may come to be the transaction's
    /// first ([`Reading::settle`]). Sends nothing.
    ///
    /// # Errors
    /// As [`Transaction::begin_first_read`].
    pub(crate) fn begin_first_read(
        &self,
        object: &Object,
        route: Route,
        scopes: impl IntoIterator<Item = ReadScope>,
    ) -> Result<Reading> {
        match self {
            View::Newest => Ok(Reading::plain(0)),
            View::At(epoch) => Ok(Reading::plain(*epoch)),
            View::In(transaction) => transaction.begin_first_read(object, route, scopes),
        }
    }

    /// Begins a read of `scopes` in the group of `route`.
    ///
    /// # Errors
    /// As [`Transaction::begin_read`].
    pub(crate) async fn begin_read(
        &self,
        context: &Rc<Context>,
        object: &Object,
        route: Route,
        scopes: impl IntoIterator<Item = ReadScope>,
    ) -> Result<Reading> {
        match self {
            View::Newest => Ok(Reading::plain(0)),
            View::At(epoch) => Ok(Reading::plain(*epoch)),
            View::In(transaction) => transaction.begin_read(context, object, route, scopes).await,
        }
    }
}
