//! Changes inside arrays, in every way that the update language has for it.

use bson::{DateTime, Document, doc};
use mongodb::error::Result;
use rand::RngExt;

use super::{persist::persist, writer::Writer};

impl Writer {
    pub(super) async fn change_array(&mut self) -> Result<()> {
        let number = self.rng.random_range(1..9);
        if self.rng.random_bool(0.2) {
            let filter = doc! { "_id": self.subjects.product(&mut self.rng) };
            let update = doc! { "$addToSet": { "tags": { "$each": ["sale", format!("tag-{number}")] } } };
            return self.change_arrays_of("products", filter, update, None).await;
        }
        let mut filter = doc! { "_id": self.some_order() };
        let choice = self.rng.random_range(0..7);
        if choice == 2 {
            filter.insert("items.quantity", doc! { "$gte": number });
        }
        let (update, array_filter) = order_change(choice, number);
        self.change_arrays_of("orders", filter, update, array_filter).await
    }

    async fn change_arrays_of(
        &self,
        collection: &str,
        filter: Document,
        update: Document,
        array_filter: Option<Document>,
    ) -> Result<()> {
        let collection = self.shop(collection);
        persist(|| async {
            let changed = collection.update_one(filter.clone(), update.clone());
            match &array_filter {
                Some(array_filter) => changed.array_filters(vec![array_filter.clone()]).await.map(drop),
                None => changed.await.map(drop),
            }
        })
        .await
    }
}

/// The update, and an array filter where it names one. Choice 2 needs a filter on `items.quantity`.
fn order_change(choice: u32, number: i32) -> (Document, Option<Document>) {
    let item = doc! { "sku": format!("SKU-{number:07}"), "quantity": number, "price": 1.25 };
    let entry = doc! { "status": "changed", "at": DateTime::now() };
    match choice {
        0 => (doc! { "$push": { "history": { "$each": [entry], "$slice": -5 } } }, None),
        1 => (doc! { "$pull": { "items": { "quantity": number } } }, None),
        2 => (doc! { "$inc": { "items.$.quantity": 1 }, "$set": { "items.$.checked": true } }, None),
        3 => (
            doc! { "$set": { "items.$[many].discount": f64::from(number) / 100.0 } },
            Some(doc! { "many.quantity": { "$gt": number } }),
        ),
        4 => (
            doc! { "$push": { "items": { "$each": [item], "$position": 0, "$sort": { "quantity": -1 }, "$slice": 12 } } },
            None,
        ),
        5 => (doc! { "$pop": { "history": -1 }, "$set": { "items.0.quantity": number } }, None),
        _ => (doc! { "$set": { format!("slots.{number}"): number, "flags": [true, false, { "n": number }] } }, None),
    }
}
