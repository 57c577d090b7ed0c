//! SQLite and PostgreSQL behind one trait per noun.
//! Owns: rows, versions, migrations, the audit chain, envelope encryption.
//! Never: decides a business rule or lets a transaction type out.
//! Start reading at: `Store`.
