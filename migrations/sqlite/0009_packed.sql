-- `deliveries.body` of a delivery that was ended when it came may be an LZ4 frame now. Nothing else changes here.
SELECT 1;
