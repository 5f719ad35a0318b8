//! Database `shop`: customers, products under a validator, orders, stores on a map.

use bson::{Bson, DateTime, Document, RawArrayBuf, RawBson, RawDocumentBuf, doc, rawdoc};
use rand::{RngExt, rngs::StdRng};

use super::{
    Section,
    invent::{address, far_future, object_id, one_of, past, person, place, price, some_strings, some_text, text},
};

const STATUSES: [&str; 5] = ["open", "paid", "shipped", "delivered", "returned"];
const CURRENCIES: [&str; 4] = ["EUR", "SEK", "GBP", "JPY"];

pub(super) fn sections() -> [Section; 4] {
    [
        Section {
            database: "shop",
            collection: "customers",
            share: 140,
            average_bytes: 584,
            document: customer,
            options: Document::new,
            indexes: customer_indexes,
        },
        Section {
            database: "shop",
            collection: "products",
            share: 80,
            average_bytes: 644,
            document: product,
            options: product_options,
            indexes: product_indexes,
        },
        Section {
            database: "shop",
            collection: "orders",
            share: 380,
            average_bytes: 615,
            document: order,
            options: Document::new,
            indexes: order_indexes,
        },
        Section {
            database: "shop",
            collection: "stores",
            share: 2,
            average_bytes: 258,
            document: store,
            options: Document::new,
            indexes: || vec![doc! { "key": { "location": "2dsphere" }, "name": "location_2dsphere" }],
        },
    ]
}

fn customer(rng: &mut StdRng, index: u64) -> RawDocumentBuf {
    let (first, last) = person(rng);
    let mut customer = rawdoc! {
        "_id": object_id(1, index),
        "number": index as i64,
        "name": { "first": first, "last": last },
        "email": format!("{}.{}.{index}@example.com", first.to_lowercase(), last.to_lowercase()),
        "address": address(rng),
        "registered_at": past(rng),
        "newsletter": rng.random_bool(0.4),
        "balance": price(rng),
        "rating": rng.random_range(0.0..5.0),
        "loyalty_points": rng.random_range(0..5000),
        "interests": some_strings(rng, 0..6),
        "last_seen_from": { "agent": text(rng, 6), "ip": format!("10.{}.{}.7", index % 250, index / 250 % 250) },
        "notes": some_text(rng, 4..24),
        "referred_by": RawBson::Null,
    };
    if rng.random_bool(0.3) {
        customer.append(bson::raw::cstr!("phone"), format!("+49 {}", rng.random_range(1_000_000..9_999_999)));
    }
    customer
}

fn customer_indexes() -> Vec<Document> {
    vec![
        doc! { "key": { "email": 1 }, "name": "email_1", "unique": true },
        doc! { "key": { "address.country": 1, "address.city": 1 }, "name": "country_city" },
        doc! { "key": { "phone": 1 }, "name": "phone_1", "sparse": true },
        doc! {
            "key": { "name.last": 1 },
            "name": "last_name_without_case",
            "collation": { "locale": "de", "strength": 2 },
        },
    ]
}

fn product(rng: &mut StdRng, index: u64) -> RawDocumentBuf {
    let reviews: RawArrayBuf = (0..rng.random_range(0..4)).map(|_| review(rng)).collect();
    rawdoc! {
        "_id": format!("SKU-{index:07}"),
        "title": text(rng, 4),
        "description": some_text(rng, 10..50),
        "price": price(rng),
        "stock": rng.random_range(0..10_000),
        "weight_kg": rng.random_range(0.05..40.0),
        "tags": some_strings(rng, 1..7),
        "dimensions_mm": { "width": rng.random_range(5..900), "height": rng.random_range(5..900), "depth": rng.random_range(5..900) },
        "active": rng.random_bool(0.9),
        "reviews": reviews,
        "updated_at": past(rng),
    }
}

fn review(rng: &mut StdRng) -> RawDocumentBuf {
    rawdoc! { "stars": rng.random_range(1..6), "text": text(rng, 8), "at": past(rng) }
}

/// A validator that the data and the workload keep; with its level and action given, so that all three are there to be copied.
fn product_options() -> Document {
    doc! {
        "validator": { "$jsonSchema": {
            "bsonType": "object",
            "required": ["title", "price", "stock"],
            "properties": { "title": { "bsonType": "string" }, "price": { "bsonType": "decimal" } },
        } },
        "validationLevel": "moderate",
        "validationAction": "error",
    }
}

fn product_indexes() -> Vec<Document> {
    vec![
        doc! { "key": { "tags": 1, "price": -1 }, "name": "tags_price" },
        doc! { "key": { "title": "text", "description": "text" }, "name": "words", "weights": { "title": 5 } },
    ]
}

fn order(rng: &mut StdRng, index: u64) -> RawDocumentBuf {
    let items: RawArrayBuf = (0..rng.random_range(1..6)).map(|_| order_item(rng)).collect();
    rawdoc! {
        "_id": object_id(2, index),
        "number": index as i64,
        "customer": object_id(1, rng.random_range(0..20_000)),
        "status": one_of(rng, &STATUSES),
        "placed_at": past(rng),
        "items": items,
        "total": price(rng),
        "currency": one_of(rng, &CURRENCIES),
        "ship_to": address(rng),
        "gift": rng.random_bool(0.1),
        "discount": if rng.random_bool(0.2) { RawBson::Double(0.05) } else { RawBson::Null },
        "history": [{ "status": "open", "at": past(rng) }],
        "comment": some_text(rng, 1..21),
        "keep_until": far_future(rng),
    }
}

fn order_item(rng: &mut StdRng) -> RawDocumentBuf {
    rawdoc! {
        "sku": format!("SKU-{:07}", rng.random_range(0..10_000)),
        "quantity": rng.random_range(1..9),
        "price": price(rng),
    }
}

fn order_indexes() -> Vec<Document> {
    vec![
        doc! { "key": { "customer": 1, "placed_at": -1 }, "name": "customer_placed_at" },
        doc! { "key": { "items.sku": 1 }, "name": "items_sku" },
        doc! {
            "key": { "placed_at": 1 },
            "name": "open_orders",
            "partialFilterExpression": { "status": "open" },
        },
    ]
}

fn store(rng: &mut StdRng, index: u64) -> RawDocumentBuf {
    rawdoc! {
        "_id": index as i32,
        "name": text(rng, 2),
        "location": place(rng),
        "address": address(rng),
        "opened_at": past(rng),
        "opens": { "weekdays": "09:00", "sunday": RawBson::Null },
    }
}

/// Views over orders and customers, as (database, `create` command).
pub(super) fn views() -> Vec<(&'static str, Document)> {
    let since = Bson::DateTime(DateTime::from_millis(0));
    vec![(
        "shop",
        doc! {
            "create": "open_orders",
            "viewOn": "orders",
            "pipeline": [{ "$match": { "status": "open", "placed_at": { "$gt": since } } }, { "$project": { "items": 0 } }],
        },
    )]
}
