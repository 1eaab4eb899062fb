//! Our own engine: the session loop over the visit's socket, gate and share.

use super::Visit;
use crate::session;

/// Serves one connection to its end.
pub async fn serve(visit: Visit) {
    // Boxed: the accept loop's task is as large as an idle session needs, no larger.
    Box::pin(session::serve(visit)).await;
}
