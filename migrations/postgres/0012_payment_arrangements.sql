-- What a payment leaves to later days: a document of days and amounts; null: nothing. It has no place for a card or account number.
ALTER TABLE payments ADD COLUMN arrangement TEXT;
