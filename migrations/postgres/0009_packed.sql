-- `deliveries.body` of a delivery that was ended when it came may be an LZ4 frame now. It fits a page with its row, and a
-- row that stays there is one write in place of four: of itself, of two pieces beside it, and of their index.
ALTER TABLE deliveries SET (toast_tuple_target = 4080);
