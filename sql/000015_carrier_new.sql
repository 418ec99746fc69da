-- The carrier that has a parcel in truth, where the service that tracks it found out that it is another one. Null: the same.

alter table track add column carrier_new text;
