-- Where in a trace (W3C traceparent) a delivery came and an effect was planned; nothing where no traces are kept.

ALTER TABLE deliveries ADD COLUMN trace TEXT;
ALTER TABLE effects ADD COLUMN trace TEXT;
