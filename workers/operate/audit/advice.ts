/** What a person does about a broken promise that no other record puts right. */
export const advice: Readonly<Record<string, string>> = {
  no_event_waits_too_long:
    'start a service, or look at /metrics and the log of the one that runs: last_error of the row in `pending` says why it waits',
  each_event_is_decided_once:
    "compare the order's history (GET /v1/orders/…) with the platform: what was done twice shows as two tasks or two refunds",
  orders_sum_to_what_was_paid:
    'compare the order with the platform; cancel it, or stop its tasks, before its parcels leave',
  bundles_share_what_was_paid:
    'compare what was paid for the line with the platform: the next refund or price of the line is shared over its parts anew',
  tasks_of_cancelled_goods_are_called_back:
    'ask the node to stop the parcel, and send the order’s cancellation once more (POST /v1/orders/…/cancel)',
  no_task_is_pulled_before_its_date: 'tell the node not to ship before the date',
  unpulled_tasks_wait_for_their_lines:
    'compare the order with the platform, and have its node ship at the later of the two dates',
}
