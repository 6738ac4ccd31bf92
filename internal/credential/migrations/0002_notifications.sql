-- A notification is looked for among its person's copies. An index of random names
-- would cost every issuance a page of its own on the disk.
DROP INDEX credential_copy_by_notification;
