# The role of the machines that run dwgate's workers. Its policy is that of docs/ram-policy.md.

resource "alicloud_ram_policy" "workers" {
  policy_name     = "${var.name}-workers"
  policy_document = file("${path.module}/ram_policy.json")
  description     = "What the workers of dwgate call"
}

resource "alicloud_ram_role" "workers" {
  name        = "${var.name}-workers"
  description = "Workers of dwgate on ECS"

  document = jsonencode({
    Version = "1"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = ["ecs.aliyuncs.com"] }
    }]
  })
}

resource "alicloud_ram_role_policy_attachment" "workers" {
  policy_name = alicloud_ram_policy.workers.policy_name
  policy_type = "Custom"
  role_name   = alicloud_ram_role.workers.name
}

# What consumes the queue on ApsaraMQ: a user of RAM, from whose AccessKey ApsaraMQ derives user name and password.

locals {
  instance_arn = "acs:amqp:${var.region}:${data.alicloud_account.current.id}:/instances/${coalesce(var.rabbitmq_instance, "none")}"
  vhost_arn    = "${local.instance_arn}/vhosts/${var.rabbitmq_vhost}"
  queue_arn    = "${local.vhost_arn}/queues/${var.rabbitmq_queue}"
}

resource "alicloud_ram_policy" "queue" {
  count       = var.source_type == "amqp" ? 1 : 0
  policy_name = "${var.name}-queue"
  description = "What ingest may do on ApsaraMQ: consume one queue"

  policy_document = jsonencode({
    Version = "1"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["amqp:GetInstance", "amqp:GetVhost"]
        Resource = [local.instance_arn, local.vhost_arn]
      },
      {
        Effect   = "Allow"
        Action   = ["amqp:GetQueue", "amqp:BasicConsume", "amqp:BasicCancel", "amqp:BasicAck"]
        Resource = [local.queue_arn, "${local.queue_arn}/messages/*"]
      },
    ]
  })
}

resource "alicloud_ram_user" "queue" {
  count    = var.source_type == "amqp" ? 1 : 0
  name     = "${var.name}-queue"
  comments = "Consumes the events of DataWorks for dwgate"
}

resource "alicloud_ram_user_policy_attachment" "queue" {
  count       = var.source_type == "amqp" ? 1 : 0
  policy_name = alicloud_ram_policy.queue[0].policy_name
  policy_type = "Custom"
  user_name   = alicloud_ram_user.queue[0].name
}
