//! Inserts, updates, replacements and deletes of whole documents or plain fields.

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use mongodb::error::Result;
use rand::{RngExt, rngs::StdRng};

use super::{persist::persist, writer::Writer};

impl Writer {
    /// One order, or many events at once.
    pub(super) async fn insert(&mut self) -> Result<()> {
        if self.rng.random_bool(0.6) {
            let order = self.new_order();
            let orders = self.shop("orders");
            persist(|| async { orders.insert_one(&order).await.map(drop) }).await?;
            self.own_orders.extend(order.get("_id").cloned());
            return Ok(());
        }
        let events: Vec<Document> = (0..self.rng.random_range(1..20)).map(|_| new_event(&mut self.rng)).collect();
        let collection = self.analytics("events");
        persist(|| async { collection.insert_many(&events).await.map(drop) }).await
    }

    pub(super) async fn update(&mut self) -> Result<()> {
        let rng = &mut self.rng;
        let number = rng.random_range(1..100);
        let (collection, filter, update) = match number % 6 {
            0 => (
                "customers",
                doc! { "_id": self.subjects.customer(rng) },
                doc! { "$set": { "address.city": "Neustadt", "seen.at": DateTime::now() }, "$inc": { "loyalty_points": number } },
            ),
            1 => (
                "customers",
                doc! { "_id": self.subjects.customer(rng) },
                doc! { "$unset": { "phone": "", "referred_by": "" }, "$mul": { "rating": 0.9 }, "$currentDate": { "changed": true } },
            ),
            2 => (
                "products",
                doc! { "_id": self.subjects.product(rng) },
                doc! { "$inc": { "stock": -number }, "$min": { "lowest_stock": number }, "$set": { "dimensions_mm.depth": number } },
            ),
            3 => (
                "customers",
                doc! { "_id": self.subjects.customer(rng) },
                doc! { "$rename": { "notes": "remarks" }, "$set": { format!("visits.day_{}", number % 7): number } },
            ),
            4 => (
                "orders",
                doc! { "_id": self.some_order() },
                doc! { "$set": { "status": "shipped", "shipment": { "carrier": "ferry", "parcels": [number, number + 1] } } },
            ),
            _ => return self.update_many_or_by_pipeline(number).await,
        };
        let collection = self.shop(collection);
        persist(|| async { collection.update_one(filter.clone(), update.clone()).await.map(drop) }).await
    }

    /// Many documents at once, an upsert, or an update computed by the server.
    async fn update_many_or_by_pipeline(&mut self, number: i32) -> Result<()> {
        let customer = self.subjects.customer(&mut self.rng);
        if number < 34 {
            let orders = self.shop("orders");
            let update = doc! { "$set": { "reviewed": true }, "$inc": { "reviews": 1 } };
            return persist(|| async {
                orders.update_many(doc! { "customer": &customer }, update.clone()).await.map(drop)
            })
            .await;
        }
        if number < 67 {
            let counters = self.analytics("counters");
            let filter = doc! { "_id": format!("day-{}", number % 10) };
            let update = doc! { "$inc": { "visits": 1_i64 }, "$setOnInsert": { "first_at": DateTime::now() } };
            return persist(|| async {
                counters.update_one(filter.clone(), update.clone()).upsert(true).await.map(drop)
            })
            .await;
        }
        let customers = self.shop("customers");
        let pipeline = vec![
            doc! { "$set": { "summary": { "$concat": ["$name.first", " ", "$name.last"] }, "points_before": "$loyalty_points" } },
            doc! { "$unset": "last_seen_from.ip" },
        ];
        persist(|| async { customers.find_one_and_update(doc! { "_id": &customer }, pipeline.clone()).await.map(drop) })
            .await
    }

    pub(super) async fn replace(&mut self) -> Result<()> {
        if self.rng.random_bool(0.5) {
            let id = self.some_order();
            let mut order = self.new_order();
            order.insert("_id", &id);
            let orders = self.shop("orders");
            return persist(|| async { orders.replace_one(doc! { "_id": &id }, &order).await.map(drop) }).await;
        }
        let id = self.subjects.article(&mut self.rng);
        let article = doc! {
            "title": "rewritten",
            "published": self.rng.random_bool(0.5),
            "updated_at": DateTime::now(),
            "paragraphs": ["one", "two", { "three": self.rng.random_range(0..9) }],
        };
        let articles = self.content("articles");
        persist(|| async { articles.replace_one(doc! { "_id": &id }, &article).await.map(drop) }).await
    }

    /// An order of this writer's own, a seeded one, or a few events.
    pub(super) async fn delete(&mut self) -> Result<()> {
        if self.rng.random_bool(0.2) {
            let events = self.analytics("events");
            let filter = doc! { "campaign": self.rng.random_range(0..500), "by": "workload" };
            return persist(|| async { events.delete_many(filter.clone()).await.map(drop) }).await;
        }
        let id = match self.own_orders.pop() {
            Some(id) => id,
            None => self.subjects.order(&mut self.rng),
        };
        let orders = self.shop("orders");
        persist(|| async { orders.delete_one(doc! { "_id": &id }).await.map(drop) }).await
    }

    /// One of its own if it has any, else a seeded one.
    pub(super) fn some_order(&mut self) -> Bson {
        match self.own_orders.len() {
            0 => self.subjects.order(&mut self.rng),
            count if self.rng.random_bool(0.5) => self.own_orders[self.rng.random_range(0..count)].clone(),
            _ => self.subjects.order(&mut self.rng),
        }
    }

    pub(super) fn new_order(&mut self) -> Document {
        let rng = &mut self.rng;
        let items: Vec<Document> = (0..rng.random_range(1..5))
            .map(|_| doc! { "sku": self.subjects.product(rng), "quantity": rng.random_range(1..9), "price": 9.5 })
            .collect();
        doc! {
            "_id": ObjectId::new(),
            "customer": self.subjects.customer(rng),
            "status": "open",
            "placed_at": DateTime::now(),
            "items": items,
            "history": [{ "status": "open", "at": DateTime::now() }],
            "comment": "ordered while the migration runs",
        }
    }
}

fn new_event(rng: &mut StdRng) -> Document {
    doc! {
        "_id": ObjectId::new(),
        "by": "workload",
        "kind": "click",
        "at": DateTime::now(),
        "campaign": rng.random_range(0..500),
        "duration_ms": rng.random_range(0.0..900.0),
    }
}
