//! What can be had: regions, and sizes with their prices.

use serde_json::{Value, json};

/// The answer to `GET /api/cloud/options`, made of the bodies of `/v2/regions` and `/v2/sizes`:
/// what can be had now, cheapest first.
pub fn options(regions: &Value, sizes: &Value) -> Option<Value> {
    let available = |one: &&Value| one.get("available").and_then(Value::as_bool) == Some(true);
    let regions = regions.get("regions")?.as_array()?.iter().filter(available);
    let regions: Vec<(&str, &Value)> = regions.filter_map(|one| Some((slug(one)?, one))).collect();
    let sizes = sizes.get("sizes")?.as_array()?.iter().filter(available);
    let sizes = cheapest_first(sizes.filter_map(|one| Some((slug(one)?, price(one)?, one))));
    let is_in = |size: &Value, region: &str| {
        let regions = size.get("regions").and_then(Value::as_array);
        regions.is_some_and(|regions| regions.iter().any(|one| one.as_str() == Some(region)))
    };
    let listed: Vec<Value> = regions
        .iter()
        .map(|(region, one)| {
            let fitting = sizes.iter().filter(|(_, _, size)| is_in(size, region));
            let slugs: Vec<&str> = fitting.map(|(slug, ..)| *slug).collect();
            json!({ "slug": region, "name": one.get("name"), "sizes": slugs })
        })
        .filter(|region| {
            region.get("sizes").and_then(Value::as_array).is_some_and(|s| !s.is_empty())
        })
        .collect();
    let sizes: Vec<Value> = sizes
        .iter()
        .filter(|(_, _, size)| regions.iter().any(|(region, _)| is_in(size, region)))
        .map(|(slug, price, size)| {
            json!({
                "slug": slug,
                "vcpus": size.get("vcpus"),
                "memory_mb": size.get("memory"),
                "disk_gb": size.get("disk"),
                "price_monthly": price,
                "price_hourly": size.get("price_hourly"),
            })
        })
        .collect();
    Some(json!({ "regions": listed, "sizes": sizes }))
}

type Size<'a> = (&'a str, f64, &'a Value);

/// In the order of prices. There are a few hundred, and the library's sorting is 5 KB of the Worker.
fn cheapest_first<'a>(sizes: impl Iterator<Item = Size<'a>>) -> Vec<Size<'a>> {
    let mut sorted: Vec<Size<'a>> = Vec::new();
    for size in sizes {
        let at = sorted.partition_point(|known| known.1 <= size.1);
        sorted.insert(at, size);
    }
    sorted
}

/// Dollars a month for a size in a region; `None` when it cannot be had there.
pub fn price_of(options: &Value, region: &str, size: &str) -> Option<f64> {
    let by_slug = |key: &str, wanted: &str| {
        let all = options.get(key)?.as_array()?;
        all.iter().find(|one| slug(one) == Some(wanted))
    };
    let offered = by_slug("regions", region)?.get("sizes")?.as_array()?;
    offered.iter().find(|one| one.as_str() == Some(size))?;
    price(by_slug("sizes", size)?)
}

fn slug(one: &Value) -> Option<&str> {
    one.get("slug")?.as_str().filter(|slug| super::requests::is_slug(slug))
}

fn price(size: &Value) -> Option<f64> {
    size.get("price_monthly")?.as_f64().filter(|price| price.is_finite() && *price >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(slug: &str, price: f64, regions: &[&str], available: bool) -> Value {
        json!({
            "slug": slug, "memory": 1024, "vcpus": 1, "disk": 25, "price_monthly": price,
            "price_hourly": price / 672.0, "regions": regions, "available": available,
        })
    }

    #[test]
    fn what_can_be_had_is_listed_cheapest_first() {
        let regions = json!({ "regions": [
            { "slug": "ams3", "name": "Amsterdam 3", "available": true },
            { "slug": "nyc2", "name": "New York 2", "available": false },
            { "slug": "blr1", "name": "Bangalore 1", "available": true },
            { "slug": "../x", "name": "bad", "available": true },
        ]});
        let sizes = json!({ "sizes": [
            size("big", 48.0, &["ams3", "nyc2"], true),
            size("small", 6.0, &["ams3"], true),
            size("old", 1.0, &["ams3"], false),
            size("elsewhere", 2.0, &["nyc2"], true),
            { "slug": "strange" },
        ]});
        let options = options(&regions, &sizes).unwrap();
        let ams3 = json!({ "slug": "ams3", "name": "Amsterdam 3", "sizes": ["small", "big"] });
        assert_eq!(options["regions"], json!([ams3]));
        let slugs: Vec<&Value> =
            options["sizes"].as_array().unwrap().iter().map(|one| &one["slug"]).collect();
        assert_eq!(slugs, [&json!("small"), &json!("big")]);
        assert_eq!(options["sizes"][0]["memory_mb"], json!(1024));
        assert_eq!(price_of(&options, "ams3", "small"), Some(6.0));
        for (region, size) in [("ams3", "old"), ("nyc2", "big"), ("blr1", "small"), ("", "")] {
            assert_eq!(price_of(&options, region, size), None, "{region} {size}");
        }
        assert_eq!(super::options(&json!({}), &sizes), None);
    }
}
