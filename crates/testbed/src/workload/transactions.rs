//! Changes of several documents that belong together, and unique values that change hands.

use bson::{Bson, Document, doc};
use mongodb::{ClientSession, Collection, error::Result};
use rand::RngExt;

use super::{persist::persist, writer::Writer};

impl Writer {
    /// An order, its products' stock and its customer's points, in one transaction.
    pub(super) async fn place_order(&mut self) -> Result<()> {
        let order = self.new_order();
        let purchase = Purchase {
            products: (0..self.rng.random_range(1..6)).map(|_| self.subjects.product(&mut self.rng)).collect(),
            customer: order.get("customer").cloned().unwrap_or(Bson::Null),
            order,
            abandoned: self.rng.random_bool(0.1),
        };
        let (orders, products, customers) = (self.shop("orders"), self.shop("products"), self.shop("customers"));
        let client = self.client.clone();
        persist(|| async {
            let mut session = client.start_session().await?;
            session.start_transaction().await?;
            purchase.write(&mut session, &orders, &products, &customers).await?;
            match purchase.abandoned {
                true => session.abort_transaction().await,
                false => session.commit_transaction().await,
            }
        })
        .await?;
        if !purchase.abandoned {
            self.own_orders.extend(purchase.order.get("_id").cloned());
        }
        Ok(())
    }

    /// Two customers exchange their unique emails, in one transaction or in three statements; or one is deleted and
    /// another takes the email over.
    pub(super) async fn swap_emails(&mut self) -> Result<()> {
        let one = self.subjects.customer(&mut self.rng);
        let other = self.subjects.customer(&mut self.rng);
        if one == other {
            return Ok(());
        }
        let customers = self.shop("customers");
        let choice = self.rng.random_range(0..10);
        let client = self.client.clone();
        persist(|| async {
            match choice {
                0..6 => {
                    let mut session = client.start_session().await?;
                    session.start_transaction().await?;
                    exchange(&customers, &one, &other, Some(&mut session)).await?;
                    session.commit_transaction().await
                }
                6..9 => exchange(&customers, &one, &other, None).await,
                _ => hand_over(&customers, &one).await,
            }
        })
        .await
    }
}

struct Purchase {
    order: Document,
    customer: Bson,
    products: Vec<Bson>,
    /// Rolled back at the end, so that it must leave no trace.
    abandoned: bool,
}

impl Purchase {
    async fn write(
        &self,
        session: &mut ClientSession,
        orders: &Collection<Document>,
        products: &Collection<Document>,
        customers: &Collection<Document>,
    ) -> Result<()> {
        orders.insert_one(&self.order).session(&mut *session).await?;
        for product in &self.products {
            let sold = doc! { "$inc": { "stock": -1, "sold": 1_i64 } };
            products.update_one(doc! { "_id": product }, sold).session(&mut *session).await?;
        }
        let points = doc! { "$inc": { "loyalty_points": 10 }, "$set": { "last_order": self.order.get("_id") } };
        customers.update_one(doc! { "_id": &self.customer }, points).session(&mut *session).await?;
        Ok(())
    }
}

/// Through a third value, since the index is unique at every moment.
async fn exchange(
    customers: &Collection<Document>,
    one: &Bson,
    other: &Bson,
    mut session: Option<&mut ClientSession>,
) -> Result<()> {
    let (Some(email_of_one), Some(email_of_other)) =
        (email(customers, one, session.as_deref_mut()).await?, email(customers, other, session.as_deref_mut()).await?)
    else {
        return Ok(());
    };
    let between = format!("exchanged-{}@example.com", one.as_object_id().unwrap_or_default());
    for (id, email) in [(one, &between), (other, &email_of_one), (one, &email_of_other)] {
        let update = customers.update_one(doc! { "_id": id }, doc! { "$set": { "email": email } });
        match session.as_deref_mut() {
            Some(session) => update.session(session).await?,
            None => update.await?,
        };
    }
    Ok(())
}

async fn email(
    customers: &Collection<Document>,
    id: &Bson,
    session: Option<&mut ClientSession>,
) -> Result<Option<String>> {
    let find = customers.find_one(doc! { "_id": id });
    let found = match session {
        Some(session) => find.session(session).await?,
        None => find.await?,
    };
    Ok(found.and_then(|customer| customer.get_str("email").ok().map(str::to_owned)))
}

/// The customer is deleted, and comes back as another with the same email and, later, under the old `_id` with a new one.
async fn hand_over(customers: &Collection<Document>, id: &Bson) -> Result<()> {
    let Some(mut customer) = customers.find_one_and_delete(doc! { "_id": id }).await? else {
        return Ok(());
    };
    customer.insert("_id", bson::oid::ObjectId::new());
    customers.insert_one(&customer).await?;
    customer.insert("_id", id);
    customer.insert("email", format!("again-{}@example.com", bson::oid::ObjectId::new()));
    customers.insert_one(&customer).await?;
    Ok(())
}
