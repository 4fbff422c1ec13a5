output "accounts" {
  description = "DWGATE_EVENTBRIDGE_ACCOUNTS"
  value       = data.alicloud_account.current.id
}

output "source_queue" {
  description = "DWGATE_SOURCE_QUEUE, with the source amqp"
  value       = var.source_type == "amqp" ? var.rabbitmq_queue : null
}

output "workers_role" {
  description = "The RAM role for the ECS instances of the workers: role_name in alibaba_credentials"
  value       = alicloud_ram_role.workers.name
}
