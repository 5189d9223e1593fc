use super::open::Schema;
use super::*;

impl Postgres {
    pub(in crate::store) async fn serve_with(url: &PostgresUrl, steps: &[&str]) -> Self {
        Self::serve_schema(url, &Schema::of(steps)).await.unwrap()
    }

    pub(in crate::store) async fn read_only_with(url: &PostgresUrl, steps: &[&str]) -> Self {
        Self::read_only_schema(url, &Schema::of(steps)).await.unwrap()
    }

    pub(in crate::store) async fn outside_writer_with(url: &PostgresUrl, steps: &[&str]) -> Self {
        Self::outside_writer_schema(url, &Schema::of(steps)).await.unwrap()
    }
}
