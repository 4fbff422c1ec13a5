terraform {
  required_version = ">= 1.5"

  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.208.1"
    }
  }
}

provider "alicloud" {
  region = var.region
}
